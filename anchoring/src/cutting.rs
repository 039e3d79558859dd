//! Cutting an anchor: whether it is time, what it says, and its first transaction.

use crate::book::{EMPTY_LOG_SIZE, LogHead};
use crate::chain::anchor_call;
use crate::commitment::Content;
use crate::problem::Problem;
use crate::record::{AnchorRecord, AnchorState};
use crate::round::{Interruption, Round};
use crate::value::Commitment;

/// An estimate holds for the present state; a quarter more leaves room for chains that charge by their load.
const GAS_MARGIN_DIVISOR: u64 = 4;

/// What stands on the chain for this node's sender.
struct Base {
    commitment: Commitment,
    /// Size and root of the anchored log; none before the first anchor.
    anchored: Option<(u64, [u8; 32])>,
}

impl Round<'_> {
    /// Cuts, signs and sends an anchor if none is in flight, the log grew and it is time.
    pub(crate) async fn cut(&mut self, log: LogHead) -> Result<(), Interruption> {
        let waiting = match self.journal.in_flight() {
            Some(AnchorRecord { state: AnchorState::Cut, sequence, content, .. }) => Some((*sequence, *content)),
            Some(_) => return Ok(()),
            None => None,
        };
        if waiting.is_none() && !self.is_due(log) {
            return Ok(());
        }
        let base = self.base(log).await?;
        if !self.goes_on(log, &base).await? {
            return Ok(());
        }
        let content =
            Content { previous: base.commitment, size: log.size, log_root: log.root, state_root: log.state_root };
        let sequence = match waiting {
            Some((sequence, old)) if old == content => sequence,
            Some((sequence, _)) => {
                self.journal.change(sequence, |record| record.recut(content)).await?;
                sequence
            }
            None => {
                let (line, now_ms) = (self.line, self.now_ms);
                self.journal.append(|sequence| AnchorRecord::cut(sequence, line, content, now_ms)).await?
            }
        };
        self.send_first(sequence, content).await
    }

    async fn send_first(&mut self, sequence: u64, content: Content) -> Result<(), Interruption> {
        let nonce = self.chain.nonce(self.line.sender, None).await?;
        if self.journal.has_mined(nonce) {
            // The chain has just dropped the block of an earlier anchor; the next round sees to that first.
            return Ok(());
        }
        let fees = self.quote().await?;
        let call = anchor_call(&content);
        let gas = match self.chain.estimate_gas(self.line.sender, self.line.contract, call).await {
            Ok(gas) => gas,
            Err(error) => return Err(Problem::WouldFail { message: error.refusal()? }.into()),
        };
        self.sign_and_send(sequence, nonce, fees, gas + gas / GAS_MARGIN_DIVISOR).await
    }

    /// Whether the log grew and the interval has passed or many entries wait. After a failure only the interval counts,
    /// so that a lasting fault costs no more than usual.
    fn is_due(&self, log: LogHead) -> bool {
        let Some(newest) = self.journal.newest() else { return log.size > EMPTY_LOG_SIZE };
        let anchored_size = self.journal.anchored().map_or(0, |record| record.content.size);
        let has_passed = self.now_ms.saturating_sub(newest.cut_ms) >= self.config.interval_ms;
        let many_wait = newest.is_anchored() && log.size.saturating_sub(anchored_size) >= self.config.max_waiting;
        // A log that became shorter is looked at too, because that has to be told.
        log.size != anchored_size && (has_passed || many_wait)
    }

    /// What the contract holds, and which log that is. The book usually knows; if the contract's newest anchor is not in
    /// it (it was restored from an older backup), the contract's events tell.
    async fn base(&self, log: LogHead) -> Result<Base, Interruption> {
        let (contract, sender) = (self.line.contract, self.line.sender);
        let commitment = self.chain.commitment(contract, sender, None).await?;
        let content = match self.journal.with_commitment(commitment) {
            Some(record) => record.content,
            None if commitment == Commitment::ZERO => {
                return match self.journal.anchored() {
                    Some(_) => Err(Problem::LineLost { sender }.into()),
                    None => Ok(Base { commitment, anchored: None }),
                };
            }
            None => {
                let found = self.chain.content(contract, sender, commitment).await?;
                let content = found.ok_or(Problem::UnknownAnchor { sender })?;
                tracing::warn!(
                    size = content.size,
                    log_size = log.size,
                    "the contract holds an anchor that is not in the book"
                );
                content
            }
        };
        Ok(Base { commitment, anchored: Some((content.size, content.log_root)) })
    }

    /// Whether the log has more entries than the anchored one, and begins with those. Whoever reads a line of anchors
    /// relies on each proving the ones before it; a log that was restored too short and went on otherwise would break that.
    async fn goes_on(&self, log: LogHead, base: &Base) -> Result<bool, Interruption> {
        let Some((size, committed)) = base.anchored else { return Ok(log.size > EMPTY_LOG_SIZE) };
        if log.size < size {
            return Err(Problem::LogShorter { size: log.size, anchored_size: size }.into());
        }
        let root = if log.size == size { log.root } else { self.journal.log_root_at(size).await? };
        if root != committed {
            return Err(Problem::OtherLog { sender: self.line.sender, size, committed, root }.into());
        }
        Ok(log.size > size)
    }
}
