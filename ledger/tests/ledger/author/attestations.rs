//! Inspections, measurements, certificates, recalls and what parties say: who may, and what their events name.

use super::village::{Village, by, enrolment, kg, text};
use ledger::author::{
    AttachDevice, AuthorError, ConfirmEvent, Context, DetachDevice, DisputeEvent, EndRecall, InspectProduce,
    IssueCertificate, IssueRecall, MeasureCondition, SetCertificateStatus, UpdateRecall,
};
use provenance::admission::Rule;
use provenance::body::{Analyte, Body, CertificateState, InspectionVerdict, Period, RecallAction, RecallLevel, Role};
use provenance::id::{EventId, SubjectId};
use provenance::payload::Lane;
use provenance::value::{Date, DateRange, Measure, Timestamp};

async fn enrol(v: &Village, enroller: SubjectId, name: &str, role: Role) -> SubjectId {
    v.author.enrol_actor(by(enroller), enrolment(name, &[role])).await.unwrap().id.subject(0)
}

fn degrees(decimal: &str) -> Measure {
    Measure::parse(decimal, text("CEL")).unwrap()
}

fn at(ms: u64) -> Timestamp {
    Timestamp::new(1_790_000_000_000 + ms).unwrap()
}

fn measured(subject: SubjectId) -> MeasureCondition {
    MeasureCondition {
        subject,
        property: text("temperature"),
        period: Period { start: at(0), end: at(60_000) },
        lowest: degrees("2.5"),
        highest: degrees("8"),
        mean: Some(degrees("4.25")),
        readings: 61,
        series: None,
        place: None,
    }
}

fn rule(error: AuthorError) -> Rule {
    match error {
        AuthorError::Rule(rule) => rule,
        other => panic!("{other}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn laboratories_inspect_and_devices_measure_what_they_travel_with() {
    let v = Village::new().await;
    let lot = v.lot("10").await;
    let laboratory = enrol(&v, v.founder, "Laboratory", Role::Laboratory).await;
    let inspect = InspectProduce {
        lot,
        sample: text("2026/17"),
        method: text("EN 15662"),
        analytes: vec![Analyte {
            name: text("captan"),
            value: None,
            limit: Some(Measure::parse("10", text("mg/kg")).unwrap()),
        }],
        verdict: InspectionVerdict::Passed,
        document: None,
        place: Some(v.farm),
    };
    let inspected = v.author.inspect_produce(by(laboratory), inspect.clone()).await.unwrap();
    assert_eq!(inspected.event.payload().touches[0].lane, Lane::Attester(laboratory));
    assert_eq!(rule(v.author.inspect_produce(by(v.farmer), inspect.clone()).await.unwrap_err()), Rule::Role);
    let nothing = InspectProduce { lot: SubjectId::from_bytes([8; 32]), ..inspect };
    let error = v.author.inspect_produce(by(laboratory), nothing).await.unwrap_err();
    assert!(matches!(error, AuthorError::UnknownSubject { field: "lot", .. }), "{error}");

    let logger = enrol(&v, v.founder, "Logger 4", Role::Device).await;
    let attach = AttachDevice { device: logger, to: lot, from: at(0), until: None };
    v.author.attach_device(by(v.founder), attach).await.unwrap();
    assert_eq!(rule(v.author.attach_device(by(v.trader), attach).await.unwrap_err()), Rule::NotAbove);
    v.author.measure_condition(by(logger), measured(lot)).await.unwrap();
    v.author.measure_condition(by(logger), measured(v.farm)).await.unwrap();
    let upside_down = MeasureCondition { lowest: degrees("9"), ..measured(lot) };
    assert_eq!(rule(v.author.measure_condition(by(logger), upside_down).await.unwrap_err()), Rule::Measures);
    // A device may say itself what it travels with.
    v.author.detach_device(by(logger), DetachDevice { device: logger, from: lot, at: at(90_000) }).await.unwrap();
    let no_device = AttachDevice { device: v.trader, ..attach };
    assert_eq!(rule(v.author.attach_device(by(v.founder), no_device).await.unwrap_err()), Rule::Role);
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_are_issued_and_suspended_by_who_issued_them() {
    let v = Village::new().await;
    let certifier = enrol(&v, v.founder, "Certifier", Role::Certifier).await;
    let day = |text| Date::parse(text).unwrap();
    let issue = IssueCertificate {
        scheme: text("organic"),
        number: text("IT-BIO-001"),
        operators: vec![v.farmer, v.cooperative, v.farmer],
        places: vec![v.farm],
        commodities: Vec::new(),
        valid: DateRange::new(day("2026-01-01"), day("2026-12-31")).unwrap(),
        volume_cap: Some(kg("5000")),
        document: None,
    };
    let issued = v.author.issue_certificate(by(certifier), issue.clone()).await.unwrap();
    let Body::CertificateIssued(body) = &issued.event.payload().body else { panic!() };
    assert_eq!((body.operators.len(), body.commodities.is_none()), (2, true));
    assert_eq!(rule(v.author.issue_certificate(by(v.farmer), issue).await.unwrap_err()), Rule::Role);

    let certificate = issued.id.subject(0);
    let suspend = SetCertificateStatus {
        certificate,
        state: CertificateState::Suspended,
        from: at(0),
        reason: Some(text("residues were found")),
    };
    v.author.set_certificate_status(by(certifier), suspend.clone()).await.unwrap();
    let status = |certificate| SetCertificateStatus { certificate, ..suspend.clone() };
    v.author.set_certificate_status(by(v.founder), status(certificate)).await.unwrap();
    assert_eq!(rule(v.author.set_certificate_status(by(v.farmer), suspend.clone()).await.unwrap_err()), Rule::NotAbove);
    let error = v.author.set_certificate_status(by(certifier), status(v.farm)).await.unwrap_err();
    assert!(matches!(error, AuthorError::NoSuchCertificate { .. }), "{error}");
}

fn recall(lots: &[SubjectId]) -> IssueRecall {
    IssueRecall {
        lots: lots.to_vec(),
        level: RecallLevel::Trade,
        hazard: text("glass in the crates"),
        scope: None,
        action: RecallAction::Hold,
        contact: text("+39 0461 000000"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn holders_of_now_and_then_and_authorities_recall() {
    let v = Village::new().await;
    let (one, two) = (v.lot("10").await, v.lot("20").await);
    let offer = v.offer(v.farmer, one, None, v.trader).await;
    let accept = ledger::author::AcceptTransfer { offer: offer.id, lines: None };
    let accepted = v.author.accept_transfer(by(v.trader), accept).await.unwrap();

    let issued = v.author.issue_recall(by(v.farmer), recall(&[two, one])).await.unwrap();
    assert_eq!(issued.event.payload().touches.len(), 2);
    // The trader held one of them only, by what it accepted.
    let by_trader = v.author.issue_recall(by(v.trader), recall(&[one])).await.unwrap();
    assert!(by_trader.event.payload().basis.contains(&accepted.id));
    assert_eq!(rule(v.author.issue_recall(by(v.trader), recall(&[one, two])).await.unwrap_err()), Rule::NotParty);
    let authority = enrol(&v, v.founder, "Food authority", Role::Authority).await;
    v.author.issue_recall(by(authority), recall(&[one, two])).await.unwrap();

    let public = UpdateRecall {
        recall: issued.id,
        level: Some(RecallLevel::Public),
        hazard: None,
        scope: None,
        action: Some(RecallAction::Destroy),
        contact: None,
    };
    v.author.update_recall(by(v.farmer), public.clone()).await.unwrap();
    assert_eq!(rule(v.author.update_recall(by(v.trader), public.clone()).await.unwrap_err()), Rule::NotAbove);
    let no_recall = UpdateRecall { recall: accepted.id, ..public };
    let error = v.author.update_recall(by(v.farmer), no_recall).await.unwrap_err();
    assert!(matches!(error, AuthorError::NoSuchRecall { .. }), "{error}");
    // The cooperative stands above the farmer.
    let end = EndRecall { recall: issued.id, reason: text("all crates came back") };
    v.author.end_recall(by(v.cooperative), end).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn parties_confirm_and_dispute_and_nobody_else() {
    let v = Village::new().await;
    let lot = v.lot("10").await;
    let target = v.offer(v.farmer, lot, Some("4"), v.trader).await.id;
    let confirm = |target: EventId| ConfirmEvent { target, method: text("signature on paper"), evidence: None };
    v.author.confirm_event(by(v.trader), confirm(target)).await.unwrap();
    let dispute = DisputeEvent { target, reason: text("it were 3 kg"), evidence: None };
    v.author.dispute_event(by(v.trader), dispute.clone()).await.unwrap();
    assert_eq!(rule(v.author.dispute_event(by(v.grocer), dispute).await.unwrap_err()), Rule::NotParty);
    let nowhere = confirm(EventId::from_bytes([4; 32]));
    let error = v.author.confirm_event(Context::default(), nowhere).await.unwrap_err();
    assert!(matches!(error, AuthorError::UnknownEvent { field: "target", .. }), "{error}");
}
