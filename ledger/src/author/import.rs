//! Registering many lots at once: a chain of events is signed and judged in memory, and written as
//! one.

use super::error::AuthorError;
use super::sealed;
use super::submission::{Desk, Signed, Signer};
use super::{Context, Done, RegisterProduce};
use crate::keys::KeyState;
use crate::outcome::{Origin, Outcome, Refusal};
use crate::reader::Reader;
use provenance::admission::{Ancestry, Judged, Verdict, judge};
use provenance::event::SignedEvent;
use provenance::id::{EventId, PublicKey, SubjectId};
use provenance::network::Network;
use provenance::payload::Lane;
use provenance::signature::Verifier;
use std::collections::HashMap;
use std::sync::Arc;
use store::StoreError;

/// Events that are written at once. More would save no time, as the write is already a small part
/// of it, and would keep the log from others for longer.
const CHAIN: usize = 256;

type Rows = Arc<Vec<(Context, RegisterProduce)>>;
type Answer = Result<Done, AuthorError>;

/// The rows of each key that can sign here, and the others.
#[derive(Default)]
struct Sorted {
    signers: HashMap<PublicKey, (Signer, Vec<usize>)>,
    refused: Vec<(usize, AuthorError)>,
}

/// What was signed, and rows that will be no events.
struct Chain {
    signed: Vec<(usize, Signed)>,
    refused: Vec<(usize, AuthorError)>,
}

/// The answers that are known, each at the index of its row.
struct Answers(Vec<Option<Answer>>);

/// What is judged, and the last event of the chain. Rows create lots and extend nothing, so they
/// need no other of the chain.
struct Ahead<'a> {
    reader: &'a Reader,
    last: Option<Arc<Judged>>,
}

impl Desk {
    /// Registers all rows, each signer's in their order.
    pub async fn register_all(self: &Arc<Self>, rows: Vec<(Context, RegisterProduce)>) -> Vec<Answer> {
        let count = rows.len();
        let desk = self.clone();
        let answers = self.finish_in_any_case(async move { desk.register_rows(rows.into()).await });
        answers.await.unwrap_or_else(|_| (0..count).map(|_| Err(AuthorError::Closed)).collect())
    }

    async fn register_rows(self: Arc<Self>, rows: Rows) -> Vec<Answer> {
        let mut answers = Answers((0..rows.len()).map(|_| None).collect());
        let named = rows.clone();
        let sorted = self.blocking(move |desk| desk.by_signer(&named)).await;
        let Ok(Sorted { signers, refused }) = sorted else { return answers.or(&AuthorError::Closed) };
        answers.refuse(refused);
        for (signer, own) in signers.into_values() {
            let _turn = self.turn(&signer.key).await;
            // The key may have ended while its turn was awaited.
            let now = self.blocking(move |desk| desk.signer(signer.actor)).await.and_then(|signer| signer);
            match now {
                Ok(now) if now.key == signer.key => {}
                Ok(_) => {
                    let ended =
                        AuthorError::KeyEnded { actor: signer.actor, key: signer.key, state: KeyState::Rotated };
                    answers.refuse(own.iter().map(|row| (*row, ended.clone())));
                    continue;
                }
                Err(error) => {
                    answers.refuse(own.iter().map(|row| (*row, error.clone())));
                    continue;
                }
            }
            for chain in own.chunks(CHAIN) {
                if let Err(error) = self.register_chain(&rows, signer, chain, &mut answers).await {
                    // Nothing can be written, so it is not tried chain by chain.
                    answers.refuse(own.iter().map(|row| (*row, error.clone())));
                    break;
                }
            }
        }
        answers.or(&AuthorError::Closed)
    }

    /// Which rows each key signs.
    fn by_signer(&self, rows: &[(Context, RegisterProduce)]) -> Sorted {
        let mut sorted = Sorted::default();
        let mut signers = HashMap::new();
        for (row, (context, _)) in rows.iter().enumerate() {
            let actor = context.actor.unwrap_or(self.default_actor);
            match signers.entry(actor).or_insert_with(|| self.signer(actor)).clone() {
                Ok(signer) => sorted.signers.entry(signer.key).or_insert((signer, Vec::new())).1.push(row),
                Err(error) => sorted.refused.push((row, error)),
            }
        }
        sorted
    }

    /// Signs rows and writes them. All of them are answered, or an error tells why nothing can be
    /// written.
    async fn register_chain(
        self: &Arc<Self>,
        rows: &Rows,
        signer: Signer,
        chain: &[usize],
        answers: &mut Answers,
    ) -> Result<(), AuthorError> {
        let (rows, chain) = (rows.clone(), chain.to_vec());
        let Chain { signed, refused } = self.blocking(move |desk| desk.sign_chain(&rows, signer, &chain)).await??;
        answers.refuse(refused);
        if signed.is_empty() {
            return Ok(());
        }
        let bytes = signed.iter().map(|(_, signed)| signed.event.bytes().to_vec()).collect();
        let outcomes = self.ledger.submit(bytes, Origin::Client).await?;
        if let Some(Outcome::Unavailable(error)) = outcomes.first() {
            return Err(AuthorError::Unavailable(error.clone()));
        }
        let settle = move |desk: &Desk| {
            let each = signed.into_iter().zip(outcomes);
            each.map(|((row, signed), outcome)| (row, desk.settle(signed, outcome))).collect::<Vec<_>>()
        };
        for (row, answer) in self.blocking(settle).await? {
            answers.set(row, answer);
        }
        Ok(())
    }

    /// Signs rows one on the other. What cannot be put together, or would be void, is left out, so
    /// that it stands in nobody's journal.
    fn sign_chain(
        &self,
        rows: &[(Context, RegisterProduce)],
        signer: Signer,
        chain: &[usize],
    ) -> Result<Chain, AuthorError> {
        let mut link = self.journal_end(&signer)?;
        let mut ahead = Ahead { reader: self.ledger.reader(), last: None };
        let mut verifier = Verifier::new();
        let (mut ready, mut refused) = (Vec::with_capacity(chain.len()), Vec::new());
        for row in chain {
            let (context, command) = &rows[*row];
            let event = self.sign(&signer, &link, context, command);
            let judged = event.and_then(|event| {
                ahead.admit(self.ledger.network(), &mut verifier, event.event.clone())?;
                Ok(event)
            });
            match judged {
                Ok(event) => {
                    link = event.link();
                    ready.push((*row, event));
                }
                Err(error) => refused.push((*row, error)),
            }
        }
        sealed::keep(self, ready.iter().map(|(_, signed)| signed))?;
        Ok(Chain { signed: ready, refused })
    }
}

impl Ahead<'_> {
    /// Judges an event as the log will, and takes it as the end of the chain.
    fn admit(&mut self, network: &Network, verifier: &mut Verifier, event: SignedEvent) -> Result<(), AuthorError> {
        let event = verifier.verify(event).map_err(|error| AuthorError::Refused(Refusal::Signature(error)))?;
        match judge(network, &event, self)? {
            Verdict::Admit(judgement) => {
                self.last = Some(Arc::new(Judged { event: event.into_signed(), judgement }));
                Ok(())
            }
            Verdict::Void(rule, _) => Err(AuthorError::Rule(rule)),
            Verdict::Hold(hold) => Err(AuthorError::Held(hold)),
            Verdict::Reject(reason) => Err(AuthorError::Refused(Refusal::Network(reason))),
        }
    }
}

impl Ancestry for Ahead<'_> {
    type Error = StoreError;

    fn judged(&self, id: &EventId) -> Result<Option<Arc<Judged>>, StoreError> {
        match &self.last {
            Some(last) if last.event.id() == *id => Ok(Some(last.clone())),
            _ => self.reader.judged(id),
        }
    }

    fn lane_tips(&self, subject: &SubjectId, lane: Lane) -> Result<Vec<EventId>, StoreError> {
        self.reader.lane_tips(subject, lane)
    }

    fn lane_events(&self, subject: &SubjectId, lane: Lane) -> Result<Vec<EventId>, StoreError> {
        self.reader.lane_events(subject, lane)
    }
}

impl Answers {
    /// Answers a row; its first answer stands.
    fn set(&mut self, row: usize, answer: Answer) {
        self.0[row].get_or_insert(answer);
    }

    fn refuse(&mut self, rows: impl IntoIterator<Item = (usize, AuthorError)>) {
        for (row, error) in rows {
            self.set(row, Err(error));
        }
    }

    /// All answers; `error` where there is none.
    fn or(self, error: &AuthorError) -> Vec<Answer> {
        self.0.into_iter().map(|answer| answer.unwrap_or_else(|| Err(error.clone()))).collect()
    }
}
