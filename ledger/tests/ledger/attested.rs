//! The views of keys, certificates and recalls: whatever way their events took, nodes show the same.

use super::author::village::{Village, by, enrolment, text};
use ledger::author::{
    AcceptTransfer, AddKey, AmendNetwork, ApproveAmendment, AttachDevice, DetachDevice, EndRecall, Ends, EnrolledKey,
    IssueCertificate, IssueRecall, ReplaceKey, RevokeActor, SetCertificateStatus, UpdateRecall,
};
use ledger::trace::LineageFollower;
use ledger::view::{
    AmendmentState, Capacity, CertificateFilter, CertificateStanding, PageSize, RecallFilter, ViewFollower, Views,
};
use ledger::{KeyState, Ledger, LedgerOptions, Origin};
use provenance::body::{CertificateState, Contract, Custody, RecallAction, RecallLevel, Role};
use provenance::findings::FindingKind;
use provenance::id::{EventId, SubjectId};
use provenance::value::{Date, DateRange, Timestamp};
use std::sync::Arc;

/// A ledger with views, to which the village's events come one by one.
async fn node(v: &Village, order: impl Iterator<Item = EventId>) -> (Views, Ledger, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let network = v.ledger.network().clone();
    let followers: Vec<Arc<dyn ledger::Follower>> =
        vec![Arc::new(ViewFollower::new(network.clone())), Arc::new(LineageFollower)];
    let options = LedgerOptions { followers, ..LedgerOptions::default() };
    let ledger = Ledger::open(folder.path(), network, options).unwrap();
    let order: Vec<EventId> = order.collect();
    // What rests on something unknown comes again in the next round.
    for _ in 0..order.len() {
        for id in &order {
            ledger.submit(vec![v.event(*id).bytes().to_vec()], Origin::Peer("test".into())).await.unwrap();
            assert!(ledger.followed(ledger.size() - 1).await);
        }
    }
    assert_eq!(ledger.size(), v.ledger.size());
    (Views::new(ledger.reader().clone()), ledger, folder)
}

fn at(day: &str) -> Timestamp {
    Timestamp::new(u64::try_from(i64::from(Date::parse(day).unwrap().days()) * 86_400_000).unwrap()).unwrap()
}

struct Told {
    lot: SubjectId,
    certificate: SubjectId,
    recall: EventId,
    logger: SubjectId,
    valley: SubjectId,
    member: SubjectId,
    board: SubjectId,
    forged: [EventId; 4],
    amendment: EventId,
}

fn issue_certificate(number: &str, operator: SubjectId) -> IssueCertificate {
    IssueCertificate {
        scheme: text("organic"),
        number: text(number),
        operators: vec![operator],
        places: Vec::new(),
        commodities: Vec::new(),
        valid: DateRange::new(Date::parse("2026-01-01").unwrap(), Date::parse("2026-12-31").unwrap()).unwrap(),
        volume_cap: None,
        document: None,
    }
}

fn issue_recall(lot: SubjectId) -> IssueRecall {
    IssueRecall {
        lots: vec![lot],
        level: RecallLevel::Trade,
        hazard: text("glass"),
        scope: None,
        action: RecallAction::Hold,
        contact: text("Anna"),
    }
}

/// Some of everything.
async fn tell(v: &Village) -> Told {
    let enrol = async |name: &str, role| {
        v.author.enrol_actor(by(v.founder), enrolment(name, &[role])).await.unwrap().id.subject(0)
    };
    let (certifier, logger) = (enrol("Certifier", Role::Certifier).await, enrol("Logger", Role::Device).await);
    let lot = v.lot("10").await;
    let attach = AttachDevice { device: logger, to: lot, from: at("2026-10-01"), until: None };
    v.author.attach_device(by(v.founder), attach).await.unwrap();
    let detach = DetachDevice { device: logger, from: lot, at: at("2026-10-02") };
    v.author.detach_device(by(logger), detach).await.unwrap();
    let issue = issue_certificate("1", v.farmer);
    let certificate = v.author.issue_certificate(by(certifier), issue).await.unwrap().id.subject(0);
    // Told later, but holding from an earlier day.
    for (state, from) in [(CertificateState::Reinstated, "2026-06-01"), (CertificateState::Suspended, "2026-05-01")] {
        let status = SetCertificateStatus { certificate, state, from: at(from), reason: None };
        v.author.set_certificate_status(by(certifier), status).await.unwrap();
    }
    let offer = v.offer(v.farmer, lot, None, v.trader).await;
    v.author.accept_transfer(by(v.trader), AcceptTransfer { offer: offer.id, lines: None }).await.unwrap();
    let recall = v.author.issue_recall(by(v.trader), issue_recall(lot)).await.unwrap().id;
    let update = UpdateRecall {
        recall,
        level: Some(RecallLevel::Public),
        hazard: None,
        scope: Some(text("all crates")),
        action: None,
        contact: None,
    };
    v.author.update_recall(by(v.trader), update).await.unwrap();
    let offer = v.offer(v.trader, lot, None, v.grocer).await;
    v.author.accept_transfer(by(v.grocer), AcceptTransfer { offer: offer.id, lines: None }).await.unwrap();
    v.author.end_recall(by(v.trader), EndRecall { recall, reason: text("came back") }).await.unwrap();

    let add = AddKey { key: EnrolledKey::New, custody: Custody::Kept, name: Some(text("Phone")) };
    v.author.add_key(by(v.grocer), add).await.unwrap();
    let revoke = RevokeActor { of: v.grocer, ends: Ends::default(), reason: text("has left") };
    v.author.revoke_actor(by(v.founder), revoke).await.unwrap();
    // Another cooperative's key ends before it enrolled anybody, and with it that of its member.
    let mut valley = enrolment("Valley Cooperative", &[Role::Cooperative]);
    valley.may_give = vec![Role::Farmer];
    let valley = v.author.enrol_actor(by(v.founder), valley).await.unwrap().id.subject(0);
    let member = v.author.enrol_actor(by(valley), enrolment("Member", &[Role::Farmer])).await.unwrap().id.subject(0);
    let nothing_of = vec![v.key_of(valley)];
    let replace = ReplaceKey {
        of: valley,
        key: EnrolledKey::New,
        custody: Custody::Kept,
        ends: Ends { nothing_of, ..Ends::default() },
        reason: None,
    };
    v.author.replace_key(by(v.founder), replace.clone()).await.unwrap();
    // A thief's certificate and recall, with the key of a board that is both certifier and authority.
    let board = enrolment("Board", &[Role::Certifier, Role::Authority]);
    let board = v.author.enrol_actor(by(v.founder), board).await.unwrap().id.subject(0);
    let nothing_of = vec![v.key_of(board)];
    let add = AddKey { key: EnrolledKey::New, custody: Custody::Kept, name: Some(text("Thief")) };
    let key = v.author.add_key(by(board), add).await.unwrap().id;
    let forged = v.author.issue_certificate(by(board), issue_certificate("2", v.farmer)).await.unwrap().id;
    let status = |certificate, state| SetCertificateStatus { certificate, state, from: at("2026-01-02"), reason: None };
    let withdrawn = status(forged.subject(0), CertificateState::Withdrawn);
    v.author.set_certificate_status(by(board), withdrawn).await.unwrap();
    let warned = v.author.issue_recall(by(board), issue_recall(lot)).await.unwrap().id;
    let ended = EndRecall { recall: warned, reason: text("never mind") };
    let ended = v.author.end_recall(by(board), ended).await.unwrap().id;
    let replace = ReplaceKey { of: board, ends: Ends { nothing_of, ..Ends::default() }, ..replace };
    v.author.replace_key(by(v.founder), replace).await.unwrap();
    let forged = [key, forged, warned, ended];
    let contracts = Some(vec![Contract { chain_id: 1, address: [7; 20] }]);
    let amend = AmendNetwork { contracts, ..AmendNetwork::default() };
    let amendment = v.author.amend_network(by(v.founder), amend).await.unwrap().id;
    v.author.approve_amendment(by(v.founder), ApproveAmendment { amendment }).await.unwrap();
    Told { lot, certificate, recall, logger, valley, member, board, forged, amendment }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_order_the_same_is_shown() {
    let v = Village::new().await;
    let told = tell(&v).await;
    let ids = v.ledger.reader().log_ids(1, 1_000).unwrap();
    let (forward, _ledger, _folder) = node(&v, ids.iter().copied()).await;
    let (backward, _other, _elsewhere) = node(&v, ids.iter().rev().copied()).await;
    assert_eq!(forward.digest().unwrap(), backward.digest().unwrap());

    let certificate = forward.certificate(&told.certificate).unwrap().unwrap();
    for (day, standing) in [
        ("2025-12-31", CertificateStanding::NotYetValid),
        ("2026-01-01", CertificateStanding::Valid),
        ("2026-05-15", CertificateStanding::Suspended),
        ("2026-12-31", CertificateStanding::Valid),
        ("2027-01-01", CertificateStanding::Expired),
    ] {
        assert_eq!(certificate.standing(at(day)), standing, "{day}");
    }
    let of_farmer = CertificateFilter { operator: Some(v.farmer), ..CertificateFilter::default() };
    assert_eq!(forward.certificates(&of_farmer, None, PageSize::default()).unwrap().rows, [certificate]);

    // What the thief signed is no certificate and no recall, and only who asks for the events gets them.
    let [_, forged, warned, _] = told.forged;
    assert!(forward.certificate(&forged.subject(0)).unwrap().is_none());
    assert!(forward.recall(&warned).unwrap().is_none());
    let of_lot = RecallFilter { lot: Some(told.lot), ..RecallFilter::default() };
    let recalls = forward.recalls(&of_lot, None, PageSize::default()).unwrap().rows;
    assert_eq!(recalls.iter().map(|row| row.id).collect::<Vec<_>>(), [told.recall]);
    assert!(told.forged.iter().all(|id| v.ledger.reader().stored(id).unwrap().is_some()));

    let logger = forward.actor(&told.logger).unwrap().unwrap();
    let [attached] = &logger.attachments[..] else { panic!("{logger:?}") };
    assert_eq!((attached.to, attached.until), (told.lot, Some(at("2026-10-02"))));
    let states = |actor: SubjectId| {
        let keys = forward.actor(&actor).unwrap().unwrap().keys;
        keys.into_iter().map(|key| key.state).collect::<Vec<_>>()
    };
    assert_eq!(states(v.grocer), [KeyState::Revoked, KeyState::Revoked]);
    assert_eq!(states(told.valley), [KeyState::Replaced, KeyState::Live]);
    assert!(forward.actor(&told.member).unwrap().is_none(), "its enrolment does not count");
    // The thief's key is among those that were replaced.
    assert_eq!(states(told.board), [KeyState::Replaced, KeyState::Replaced, KeyState::Live]);
    assert_eq!(states(v.farmer), [KeyState::Live]);

    let network = forward.network(v.ledger.network()).unwrap();
    let [amendment] = &network.amendments[..] else { panic!("{network:?}") };
    assert_eq!((amendment.id, amendment.state), (told.amendment, AmendmentState::InForce));
    assert_eq!(network.contracts.as_ref().map(Vec::len), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recall_tells_its_life_and_what_its_issuer_is_to_the_lot() {
    let v = Village::new().await;
    let told = tell(&v).await;
    let ids = v.ledger.reader().log_ids(1, 1_000).unwrap();
    let issued = ids.iter().position(|id| *id == told.recall).unwrap();
    let ended = RecallFilter { lot: Some(told.lot), active: Some(false), ..RecallFilter::default() };
    let (views, ledger, _folder) = {
        let folder = tempfile::tempdir().unwrap();
        let network = v.ledger.network().clone();
        let followers: Vec<Arc<dyn ledger::Follower>> =
            vec![Arc::new(ViewFollower::new(network.clone())), Arc::new(LineageFollower)];
        let options = LedgerOptions { followers, ..LedgerOptions::default() };
        let ledger = Ledger::open(folder.path(), network, options).unwrap();
        (Views::new(ledger.reader().clone()), ledger, folder)
    };
    let take = async |ids: &[EventId]| {
        let events = ids.iter().map(|id| v.event(*id).bytes().to_vec()).collect();
        ledger.submit(events, Origin::Peer("test".into())).await.unwrap();
        assert!(ledger.followed(ledger.size() - 1).await);
        views.recall(&told.recall).unwrap().unwrap()
    };
    let row = take(&ids[..=issued]).await;
    assert_eq!((row.is_active(), row.lots[0].capacity, row.level), (true, Capacity::Holder, RecallLevel::Trade));
    assert!(views.recalls(&ended, None, PageSize::default()).unwrap().rows.is_empty());
    // The update, the offer to the grocer and its acceptance.
    let row = take(&ids[issued + 1..issued + 4]).await;
    assert_eq!((row.updates.len(), row.level), (1, RecallLevel::Public));
    assert_eq!(row.lots[0].capacity, Capacity::PastHolder);
    let row = take(&ids[issued + 4..issued + 5]).await;
    assert_eq!((row.is_active(), row.end_reason.as_ref()), (false, Some(&text("came back"))));
    assert_eq!(views.recalls(&ended, None, PageSize::default()).unwrap().rows, [row]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_from_a_recalled_lot_is_recalled_with_it() {
    let v = Village::new().await;
    let lot = v.lot("10").await;
    let offer = v.offer(v.farmer, lot, Some("4"), v.trader).await;
    v.author.accept_transfer(by(v.trader), AcceptTransfer { offer: offer.id, lines: None }).await.unwrap();
    let part = offer.id.subject(1);
    let found = async || {
        let ids = v.ledger.reader().log_ids(1, 1_000).unwrap();
        let (views, ledger, _folder) = node(&v, ids.into_iter()).await;
        let (row, history) = (views.produce(&part).unwrap().unwrap(), views.history(&part).unwrap().unwrap());
        let found = ledger::findings::of_lot(ledger.reader(), &row, &history).unwrap();
        found.into_iter().map(|it| (it.finding, it.subject, it.events)).collect::<Vec<_>>()
    };
    assert_eq!(found().await, []);
    let issue = IssueRecall {
        lots: vec![lot],
        level: RecallLevel::Public,
        hazard: text("glass"),
        scope: None,
        action: RecallAction::Return,
        contact: text("Anna"),
    };
    let recall = v.author.issue_recall(by(v.farmer), issue.clone()).await.unwrap().id;
    assert_eq!(found().await, [(FindingKind::Recalled, lot, vec![recall])]);
    // However many were issued and ended since, they hide none that stands.
    for _ in 0..60 {
        let recall = v.author.issue_recall(by(v.farmer), issue.clone()).await.unwrap().id;
        v.author.end_recall(by(v.farmer), EndRecall { recall, reason: text("a mistake") }).await.unwrap();
    }
    assert_eq!(found().await, [(FindingKind::Recalled, lot, vec![recall])]);
    v.author.end_recall(by(v.farmer), EndRecall { recall, reason: text("no glass") }).await.unwrap();
    assert_eq!(found().await, []);
}
