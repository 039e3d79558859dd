//! The service that anchors a node's log: rounds on a timer, each on the first endpoint that can be used.

use crate::book::AnchorBook;
use crate::breaker::Breaker;
use crate::chain::RpcError;
use crate::config::AnchorConfig;
use crate::endpoints::{EndpointError, Endpoints};
use crate::evidence;
use crate::journal::Journal;
use crate::problem::Problem;
use crate::record::{AnchorRecord, Line};
use crate::round::{Interruption, Round};
use crate::signing::{KeyError, Signer};
use crate::status::AnchorStatus;
use provenance::evidence::Evidence;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Tells the time: ms since the epoch.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// Why anchoring cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// No endpoint.
    #[error("no RPC endpoint is configured: name one in rpc_urls, or switch anchoring off")]
    NoEndpoint,
    /// An endpoint's URL is wrong.
    #[error(transparent)]
    Url(#[from] RpcError),
    /// The key is none.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A number that makes no sense.
    #[error("{0} must not be zero: correct the configuration")]
    Zero(&'static str),
    /// The book cannot be read.
    #[error(transparent)]
    Book(#[from] Problem),
}

/// Proofs and receipts of a block come within seconds; whatever takes longer must not hold up the anchors.
const EVIDENCE_TIMEOUT: Duration = Duration::from_secs(20);

/// How fetching evidence stands: endpoints without it are asked less and less often, because receipts of a whole block
/// are much to ask for.
#[derive(Default)]
struct Gathering {
    breaker: Breaker,
    /// Which anchor's was not to be had, and why.
    failure: Option<(u64, String)>,
}

/// Anchors one node's log.
pub struct AnchorService {
    config: AnchorConfig,
    line: Line,
    signer: Signer,
    clock: Clock,
    endpoints: Endpoints,
    journal: Journal,
    gathering: Gathering,
    status: watch::Sender<AnchorStatus>,
}

impl AnchorService {
    /// Reads the book and continues where it ends. Blocks for that; asks no endpoint yet.
    pub fn open(
        config: AnchorConfig,
        book: Arc<dyn AnchorBook>,
        signer_key: &[u8; 32],
        clock: Clock,
    ) -> Result<Self, OpenError> {
        if config.rpc_urls.is_empty() {
            return Err(OpenError::NoEndpoint);
        }
        for (name, value) in [
            ("confirmations", config.confirmations),
            ("poll_ms", config.poll_ms),
            ("max_waiting", config.max_waiting),
            ("replace_after_blocks", config.replace_after_blocks),
        ] {
            if value == 0 {
                return Err(OpenError::Zero(name));
            }
        }
        let endpoints = Endpoints::at(&config.rpc_urls)?;
        let signer = Signer::new(signer_key)?;
        let line = Line { chain_id: config.chain_id, contract: config.contract, sender: signer.address() };
        let journal = Journal::open(book, &line, clock())?;
        let (status, _) = watch::channel(AnchorStatus {
            enabled: true,
            chain_id: line.chain_id,
            contract: Some(line.contract),
            sender: Some(line.sender),
            daily_budget_wei: config.daily_budget_wei,
            ..AnchorStatus::default()
        });
        let gathering = Gathering::default();
        let service = Self { config, line, signer, clock, endpoints, journal, gathering, status };
        service.publish((service.clock)(), |_| ());
        Ok(service)
    }

    /// The status, now and after each change.
    pub fn status(&self) -> watch::Receiver<AnchorStatus> {
        self.status.subscribe()
    }

    /// Works until `stop` is cancelled. It can be stopped at any point: the book holds all that it needs to go on.
    pub async fn run(mut self, stop: CancellationToken) {
        let poll = Duration::from_millis(self.config.poll_ms);
        let rounds = async {
            loop {
                self.step().await;
                tokio::time::sleep(poll).await;
            }
        };
        stop.run_until_cancelled(rounds).await;
    }

    /// One round, which is what [`AnchorService::run`] does each time: looks at every open anchor, cuts a new one if
    /// it is time, and publishes the status.
    pub async fn step(&mut self) {
        let now_ms = (self.clock)();
        for index in self.endpoints.usable(now_ms) {
            match self.round(index, now_ms).await {
                Ok(()) => {
                    self.endpoints.succeeded(index);
                    let problem = self.gather_evidence(index, now_ms).await;
                    return self.settle(now_ms, problem);
                }
                Err(EndpointOrProblem::Endpoint(error)) => self.endpoints.failed(index, error, now_ms),
                Err(EndpointOrProblem::Problem(problem)) => {
                    self.endpoints.succeeded(index);
                    let _less_urgent = self.gather_evidence(index, now_ms).await;
                    return self.settle(now_ms, Some(problem));
                }
            }
        }
        let failures = self.endpoints.failures();
        self.settle(now_ms, Some(Problem::NoEndpoint { failures }));
    }

    async fn round(&mut self, index: usize, now_ms: u64) -> Result<(), EndpointOrProblem> {
        let log = self.journal.log_head().await.map_err(Problem::from)?;
        self.publish(now_ms, |status| status.log_size = log.size);
        let chain = self.endpoints.checked(index, &self.line).await?;
        let (head, finalized) = (chain.head().await?, chain.finalized().await?);
        let balance_wei = chain.balance_wei(self.line.sender).await?;
        self.publish(now_ms, |status| {
            status.head_block = Some(head.number);
            status.balance_wei = Some(balance_wei);
        });
        let mut round = Round {
            chain: &chain,
            config: &self.config,
            line: self.line,
            signer: &self.signer,
            journal: &mut self.journal,
            now_ms,
            head,
            balance_wei,
            finalized,
        };
        round.follow().await?;
        Ok(round.cut(log).await?)
    }

    /// Fetches the evidence that is lacking. Nothing that goes wrong here keeps anchors from their way.
    async fn gather_evidence(&mut self, first: usize, now_ms: u64) -> Option<Problem> {
        let lacking = self.journal.lacking_evidence(now_ms);
        if lacking.is_empty() {
            self.gathering = Gathering::default();
            return None;
        }
        if self.gathering.breaker.allows(now_ms) {
            for sequence in lacking {
                let record = self.journal.get(sequence).clone();
                let fetched = tokio::time::timeout(EVIDENCE_TIMEOUT, self.fetch_evidence(first, &record, now_ms)).await;
                match fetched.unwrap_or_else(|_| Err("no answer in time".to_owned())) {
                    Ok(evidence) => {
                        self.gathering = Gathering::default();
                        if let Err(problem) = self.journal.prove(sequence, evidence).await {
                            return Some(problem);
                        }
                    }
                    Err(reason) => {
                        self.gathering.breaker.failed(now_ms);
                        self.gathering.failure = Some((sequence, reason));
                        break;
                    }
                }
            }
        }
        let (sequence, reason) = self.gathering.failure.clone()?;
        Some(Problem::NoEvidence { sequence, reason })
    }

    /// Asks the endpoint that just served a round, then the others.
    async fn fetch_evidence(&mut self, first: usize, record: &AnchorRecord, now_ms: u64) -> Result<Evidence, String> {
        let others = self.endpoints.usable(now_ms).into_iter().filter(|other| *other != first);
        let mut reasons = Vec::new();
        for index in std::iter::once(first).chain(others) {
            match self.endpoints.checked(index, &self.line).await {
                Ok(chain) => match evidence::fetch(&chain, record).await {
                    Ok(evidence) => return Ok(evidence),
                    Err(error) => reasons.push(error.to_string()),
                },
                Err(error) => reasons.push(error.to_string()),
            }
        }
        Err(reasons.join("; "))
    }

    /// Ends a round.
    fn settle(&mut self, now_ms: u64, problem: Option<Problem>) {
        self.journal.prune(now_ms);
        let problem = problem.map(|problem| problem.to_string());
        if let Some(text) = problem.as_ref().filter(|_| self.status.borrow().problem != problem) {
            tracing::warn!("anchoring: {text}");
        }
        self.publish(now_ms, |status| status.problem = problem);
    }

    fn publish(&self, now_ms: u64, change: impl FnOnce(&mut AnchorStatus)) {
        self.status.send_if_modified(|status| {
            let before = status.clone();
            change(status);
            status.anchored_size = self.journal.anchored().map_or(0, size);
            let final_anchor = self.journal.final_anchor();
            status.final_size = final_anchor.map_or(0, size);
            status.final_commitment = final_anchor.and_then(AnchorRecord::inclusion).map(|block| block.commitment);
            status.in_flight = self.journal.in_flight().cloned();
            status.spent_today_wei = self.journal.spent_today_wei(now_ms, None);
            *status != before
        });
    }
}

fn size(record: &AnchorRecord) -> u64 {
    record.content.size
}

/// How a round can end early, seen from outside.
enum EndpointOrProblem {
    Endpoint(EndpointError),
    Problem(Problem),
}

impl From<EndpointError> for EndpointOrProblem {
    fn from(error: EndpointError) -> Self {
        Self::Endpoint(error)
    }
}

impl From<RpcError> for EndpointOrProblem {
    fn from(error: RpcError) -> Self {
        Self::Endpoint(error.into())
    }
}

impl From<Problem> for EndpointOrProblem {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<Interruption> for EndpointOrProblem {
    fn from(interruption: Interruption) -> Self {
        match interruption {
            Interruption::Endpoint(error) => error.into(),
            Interruption::Problem(problem) => problem.into(),
        }
    }
}
