//! One key, one journal: under load, after failed writes, and in imports.

use super::village::{Village, apples, by, farm, text};
use ledger::author::{AuthorError, MoveProduce};
use provenance::admission::Rule;
use provenance::id::SubjectId;
use provenance::payload::After;
use provenance::seal;
use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::time::Duration;
use store::Fault;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_commands_at_once_make_one_line() {
    let v = Village::new().await;
    let (lot, before) = (v.lot("10").await, v.ledger.size());
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..60 {
        let (author, farm, farmer, trader) = (v.author.clone(), v.farm, v.farmer, v.trader);
        tasks.spawn(async move {
            match number % 3 {
                0 => author.register_produce(by(farmer), apples("1", &[farm])).await,
                1 => author.move_produce(by(farmer), MoveProduce { lot, place: farm }).await,
                _ => author.register_place(by(trader), super::farm()).await,
            }
        });
    }
    let done: Vec<_> = tasks.join_all().await.into_iter().map(Result::unwrap).collect();
    let indexes: HashSet<u64> = done.iter().map(|done| done.index).collect();
    assert_eq!((indexes.len(), v.ledger.size()), (60, before + 60));
    assert_eq!((v.journal(v.farmer), v.journal(v.trader)), ((1, 42), (1, 20)));
    assert_eq!(v.counted(lot).tips.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_stops_waiting_does_not_fork_the_journal() {
    let v = Village::new().await;
    for wait_us in 0..40 {
        let command = v.author.register_produce(by(v.farmer), apples("1", &[v.farm]));
        let _ = tokio::time::timeout(Duration::from_micros(wait_us * 50), command).await;
    }
    v.author.close().await;
    let (heads, height) = v.journal(v.farmer);
    assert_eq!((heads, height), (1, 41));
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_failed_write_the_journal_goes_on_from_what_is_on_the_disk() {
    let v = Village::new().await;
    for (fault, written) in [(Fault::NotWritten, 0), (Fault::Written, 1)] {
        let (_, height) = v.journal(v.farmer);
        // Followers write to the same store, and the fault is not meant for them.
        assert!(v.ledger.followed(v.ledger.size() - 1).await);
        v.ledger.reader().store().inject([fault]);
        let error = v.author.register_produce(by(v.farmer), apples("1", &[v.farm])).await.unwrap_err();
        assert!(matches!(error, AuthorError::Unavailable(_)), "{error}");
        v.author.register_produce(by(v.farmer), apples("1", &[v.farm])).await.unwrap();
        assert_eq!(v.journal(v.farmer), (1, height + 1 + written));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_back_does_not_turn_the_journal_back() {
    let v = Village::new().await;
    let before = v.author.register_place(by(v.farmer), farm()).await.unwrap().event.payload().time;
    v.clock.0.store(1_000, Ordering::Relaxed);
    let after = v.author.register_place(by(v.farmer), farm()).await.unwrap().event.payload().time;
    assert_eq!(before, after);
    v.clock.0.store(u64::MAX, Ordering::Relaxed);
    let error = v.author.register_place(by(v.farmer), farm()).await.unwrap_err();
    assert!(matches!(error, AuthorError::Value(_)), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_answers_every_row_and_keeps_none_back_for_another() {
    let v = Village::new().await;
    let unknown = SubjectId::from_bytes([3; 32]);
    let rows: Vec<_> = (0..1_000)
        .map(|row| {
            let signer = if row % 10 == 9 { v.cooperative } else { v.farmer };
            let mut produce = apples(if row == 300 || row == 301 { "0" } else { "12.5" }, &[v.farm]);
            match row {
                0 | 511 => produce.places = vec![unknown],
                700 => return (by(v.trader), produce),
                701 => return (by(unknown), produce),
                _ => produce.harvester = Some(text(&format!("Picker {row}"))),
            }
            (by(signer), produce)
        })
        .collect();
    let before = v.ledger.size();
    let answers = v.author.register_all(rows).await;
    assert_eq!(answers.len(), 1_000);
    let mut last_index = (0, 0);
    for (row, answer) in answers.iter().enumerate() {
        match (row, answer) {
            (0 | 511, Err(AuthorError::UnknownPlace { .. }))
            | (300 | 301, Err(AuthorError::Rule(Rule::ZeroQuantity)))
            | (700, Err(AuthorError::Rule(Rule::Role)))
            | (701, Err(AuthorError::UnknownActor { .. })) => {}
            (_, Ok(done)) => {
                let last = if row % 10 == 9 { &mut last_index.0 } else { &mut last_index.1 };
                assert!(done.index > *last, "row {row} is out of order");
                *last = done.index;
                assert_eq!(v.balance(done.id.subject(0)), "12.5 KGM");
                assert!(v.author.opening(&done.id, seal::HARVESTER).unwrap().is_some());
            }
            (_, Err(error)) => panic!("row {row}: {error}"),
        }
    }
    assert_eq!(v.ledger.size(), before + 994);
    assert_eq!((v.journal(v.farmer).0, v.journal(v.cooperative).0), (1, 1));
    let openings = v.ledger.reader().store().scan::<store::Openings>(store::Range::all()).count();
    assert_eq!(openings, 994 + 1, "one for each harvester, and the farm's exact point");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_cannot_be_written_stops_at_once() {
    let v = Village::new().await;
    let rows = || (0..400).map(|_| (by(v.farmer), apples("1", &[v.farm]))).collect::<Vec<_>>();
    // The first chain is written; the second is not, nor what follows the first.
    assert!(v.ledger.followed(v.ledger.size() - 1).await);
    v.ledger.reader().store().inject([Fault::None, Fault::NotWritten, Fault::NotWritten, Fault::NotWritten]);
    let answers = v.author.register_all(rows()).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 256);
    assert!(answers[256..].iter().all(|answer| matches!(answer, Err(AuthorError::Unavailable(_)))));
    v.ledger.reader().store().mend();
    assert!(v.author.register_all(rows()).await.iter().all(Result::is_ok));
    assert!(v.author.register_all(Vec::new()).await.is_empty());
    assert_eq!(v.journal(v.farmer), (1, 1 + 256 + 400));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_of_which_nobody_knows_whether_it_was_written_keeps_its_openings() {
    let v = Village::new().await;
    let mut produce = apples("1", &[v.farm]);
    produce.harvester = Some(text("Bruno Rossi"));
    let before = v.ledger.reader().log_ids(0, 1_000).unwrap().len();
    // The openings are written, and so are the events, though the disk says that it failed.
    assert!(v.ledger.followed(v.ledger.size() - 1).await);
    v.ledger.reader().store().inject([Fault::None, Fault::Written]);
    let answers = v.author.register_all(vec![(by(v.farmer), produce); 3]).await;
    assert!(answers.iter().all(|answer| matches!(answer, Err(AuthorError::Unavailable(_)))));
    let written = v.ledger.reader().log_ids(0, 1_000).unwrap().split_off(before);
    assert_eq!(written.len(), 3);
    for event in written {
        assert!(v.author.opening(&event, seal::HARVESTER).unwrap().is_some());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_names_the_newest_final_anchor_that_the_node_knows() {
    let v = Village::new().await;
    let after = async || {
        let done = v.author.register_produce(by(v.farmer), apples("1", &[v.farm])).await.unwrap();
        let rows = vec![(by(v.farmer), apples("1", &[v.farm]))];
        let imported = v.author.register_all(rows).await.remove(0).unwrap();
        assert_eq!(imported.event.payload().after, done.event.payload().after);
        done.event.payload().after
    };
    assert_eq!(after().await, None);
    for number in [1, 2] {
        let anchor = After { chain_id: 31337, commitment: [number; 32] };
        *v.anchored.0.lock().unwrap() = Some(anchor);
        assert_eq!(after().await, Some(anchor));
    }
}
