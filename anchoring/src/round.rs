//! One look at the chain: how each open anchor stands, and what is to be done about it.

use crate::chain::{Chain, Head, Receipt, RpcError};
use crate::config::AnchorConfig;
use crate::fees::{Fees, USUAL_PRIORITY_FEE_WEI};
use crate::journal::Journal;
use crate::problem::Problem;
use crate::record::{AnchorRecord, AnchorState, Attempt, Inclusion, Line, MAX_ATTEMPTS};
use crate::signing::{Signer, Unsigned};
use crate::verify::{Stored, read_back};

/// Where a chain does not say what is final, this depth is: four times what Ethereum needs.
const FINAL_DEPTH_BLOCKS: u64 = 256;

/// A transaction whose nonce lies beyond the account's next can only be mined after others. If none came within so many
/// blocks, none will.
const GAP_BLOCKS: u64 = 64;

/// Why a round ended early.
pub(crate) enum Interruption {
    /// The endpoint failed; another one may do.
    Endpoint(RpcError),
    /// It makes no difference which endpoint is asked.
    Problem(Problem),
}

impl From<RpcError> for Interruption {
    fn from(error: RpcError) -> Self {
        Self::Endpoint(error)
    }
}

impl<P: Into<Problem>> From<P> for Interruption {
    fn from(problem: P) -> Self {
        Self::Problem(problem.into())
    }
}

/// A round on one endpoint.
pub(crate) struct Round<'a> {
    pub(crate) chain: &'a Chain,
    pub(crate) config: &'a AnchorConfig,
    pub(crate) line: Line,
    pub(crate) signer: &'a Signer,
    pub(crate) journal: &'a mut Journal,
    pub(crate) now_ms: u64,
    pub(crate) head: Head,
    pub(crate) balance_wei: u128,
    pub(crate) finalized: Option<u64>,
}

impl Round<'_> {
    /// Brings every open anchor up to date. Problems of one anchor do not keep the others from being looked at; the
    /// first is returned at the end.
    pub(crate) async fn follow(&mut self) -> Result<(), Interruption> {
        let seen = self.journal.highest_open_block();
        if self.head.number < seen {
            let host = self.chain.host().to_owned();
            return Err(Problem::Behind { host, blocks: seen - self.head.number }.into());
        }
        let mut first_problem = None;
        for sequence in self.journal.open_sequences() {
            let followed = match self.journal.get(sequence).state {
                AnchorState::Signed | AnchorState::Sent => self.pursue(sequence).await,
                AnchorState::Mined(_) | AnchorState::Confirmed(_) => self.watch(sequence).await,
                _ => Ok(()),
            };
            match followed {
                Err(Interruption::Problem(problem)) => first_problem = first_problem.or(Some(problem)),
                followed => followed?,
            }
        }
        first_problem.map_or(Ok(()), |problem| Err(problem.into()))
    }

    /// Signs the anchor's next transaction with the anchor's nonce, writes it down and only then broadcasts it.
    pub(crate) async fn sign_and_send(
        &mut self,
        sequence: u64,
        nonce: u64,
        fees: Fees,
        gas_limit: u64,
    ) -> Result<(), Interruption> {
        let needed_wei = fees.worst_cost_wei(gas_limit);
        if self.balance_wei < needed_wei {
            let (sender, balance_wei) = (self.line.sender, self.balance_wei);
            return Err(Problem::Funds { sender, balance_wei, needed_wei }.into());
        }
        let spent_wei = self.journal.spent_today_wei(self.now_ms, Some(sequence));
        let budget_wei = self.config.daily_budget_wei;
        if spent_wei.saturating_add(needed_wei) > budget_wei {
            return Err(Problem::Budget { budget_wei, spent_wei, needed_wei }.into());
        }
        let (hash, raw) = self.signer.sign(Unsigned {
            chain_id: self.line.chain_id,
            nonce,
            fees,
            gas_limit,
            to: Some(self.line.contract),
            input: crate::chain::anchor_call(&self.journal.get(sequence).content),
        });
        let attempt = Attempt { hash, raw, fees, gas_limit, signed_ms: self.now_ms };
        let head_block = self.head.number;
        self.journal.change(sequence, |record| record.signed(nonce, attempt, head_block)).await?;
        self.broadcast(sequence).await
    }

    /// What a transaction signed now should offer.
    pub(crate) async fn quote(&self) -> Result<Fees, Interruption> {
        let priority_fee_wei = self.chain.priority_fee_wei().await?.unwrap_or(USUAL_PRIORITY_FEE_WEI);
        Ok(Fees::quote(self.head.base_fee_wei, priority_fee_wei, self.config.max_fee_wei())?)
    }

    /// An anchor that is in no block as far as is known.
    async fn pursue(&mut self, sequence: u64) -> Result<(), Interruption> {
        if self.find(sequence).await?.is_some() {
            return self.watch(sequence).await;
        }
        let record = self.journal.get(sequence);
        let nonce = record.nonce.expect("a signed anchor has a nonce");
        let next_nonce = self.chain.nonce(self.line.sender, None).await?;
        if next_nonce > nonce {
            return self.give_up_spent_nonce(sequence, nonce).await;
        }
        let newest = record.attempts.last().expect("a signed anchor has an attempt");
        let waited_blocks = self.head.number.abs_diff(record.waiting_since_block);
        if next_nonce < nonce {
            if waited_blocks >= GAP_BLOCKS && !self.journal.waits_for_another(nonce) {
                let reason = format!("its nonce {nonce} cannot be reached: the account's next is {next_nonce}");
                self.journal.change(sequence, |record| record.superseded(reason, self.now_ms)).await?;
            }
            return Ok(());
        }
        if waited_blocks >= self.config.replace_after_blocks {
            return self.replace(sequence, nonce).await;
        }
        if record.state == AnchorState::Signed || !self.chain.knows(newest.hash).await? {
            return self.broadcast(sequence).await;
        }
        Ok(())
    }

    /// An anchor that was in a block when it was looked at last.
    async fn watch(&mut self, sequence: u64) -> Result<(), Interruption> {
        let Some((inclusion, receipt)) = self.find(sequence).await? else {
            if self.journal.get(sequence).inclusion().is_some() {
                tracing::warn!(sequence, "the block of an anchor was dropped by a reorganisation");
                let (head_block, now_ms) = (self.head.number, self.now_ms);
                self.journal.change(sequence, |record| record.dropped(head_block, now_ms)).await?;
            }
            return self.broadcast(sequence).await;
        };
        let record = self.journal.get(sequence);
        if record.inclusion().is_none_or(|known| known.block_hash != inclusion.block_hash) {
            self.journal.change(sequence, |record| record.mined(inclusion, self.now_ms)).await?;
        }
        let depth = (self.head.number + 1).saturating_sub(inclusion.block_number);
        let record = self.journal.get(sequence);
        if matches!(record.state, AnchorState::Mined(_)) && depth >= self.config.confirmations {
            match read_back(self.chain, &record.line, &record.content, &inclusion, &receipt).await? {
                Ok(Stored::AtItsBlock | Stored::Now) => {
                    self.journal.change(sequence, |record| record.confirmed(self.now_ms)).await?;
                }
                Ok(Stored::NotReadable) => {
                    let reason = "the contract holds another commitment by now".to_owned();
                    self.journal.change(sequence, |record| record.failed(reason, self.now_ms)).await?;
                }
                Err(mismatch) => {
                    let reason = mismatch.to_string();
                    self.journal.change(sequence, |record| record.failed(reason, self.now_ms)).await?;
                }
            }
        }
        let is_final = self.finalized.map_or(depth >= FINAL_DEPTH_BLOCKS, |number| number >= inclusion.block_number);
        if is_final && matches!(self.journal.get(sequence).state, AnchorState::Confirmed(_)) {
            self.journal.change(sequence, |record| record.finalised(self.now_ms)).await?;
        }
        Ok(())
    }

    /// The block that one of the anchor's attempts is in. Any of them may have been mined, also one that was replaced.
    async fn find(&self, sequence: u64) -> Result<Option<(Inclusion, Receipt)>, RpcError> {
        let record = self.journal.get(sequence);
        for attempt in record.attempts.iter().rev() {
            let Some(receipt) = self.chain.receipt(attempt.hash).await? else { continue };
            let Some(inclusion) = inclusion(self.chain, record, attempt, &receipt).await? else { continue };
            return Ok(Some((inclusion, receipt)));
        }
        Ok(None)
    }

    /// The nonce is spent, and none of the attempts was seen in a block. Once the spending is deep enough and still
    /// none is seen, the anchor is over.
    async fn give_up_spent_nonce(&mut self, sequence: u64, nonce: u64) -> Result<(), Interruption> {
        let deep = (self.head.number + 1).saturating_sub(self.config.confirmations);
        if self.chain.nonce(self.line.sender, Some(deep)).await? <= nonce {
            return Ok(());
        }
        if self.find(sequence).await?.is_some() {
            return self.watch(sequence).await;
        }
        let reason = format!("nonce {nonce} was spent by a transaction that is not in this node's book");
        Ok(self.journal.change(sequence, |record| record.superseded(reason, self.now_ms)).await?)
    }

    async fn replace(&mut self, sequence: u64, nonce: u64) -> Result<(), Interruption> {
        let record = self.journal.get(sequence);
        let newest = record.attempts.last().expect("a signed anchor has an attempt");
        let (fees, gas_limit) = (newest.fees, newest.gas_limit);
        // Whatever keeps it from being replaced, the present bytes stay on offer.
        if record.attempts.len() >= MAX_ATTEMPTS {
            self.broadcast(sequence).await?;
            return Err(Problem::Unmined { sequence }.into());
        }
        let quote = match self.quote().await {
            Err(Interruption::Problem(problem)) => {
                self.broadcast(sequence).await?;
                return Err(problem.into());
            }
            quote => quote?,
        };
        match fees.replacement(quote, self.config.max_fee_wei()) {
            Ok(fees) => self.sign_and_send(sequence, nonce, fees, gas_limit).await,
            Err(too_dear) => {
                self.broadcast(sequence).await?;
                Err(too_dear.into())
            }
        }
    }

    /// Hands the newest attempt to the endpoint. Endpoints refuse what they already have, each in its own words, so
    /// after a refusal they are asked whether they have it.
    async fn broadcast(&mut self, sequence: u64) -> Result<(), Interruption> {
        let record = self.journal.get(sequence);
        let newest = record.attempts.last().expect("a signed anchor has an attempt");
        if let Err(refused) = self.chain.broadcast(&newest.raw).await {
            let message = refused.refusal()?;
            if !self.chain.knows(newest.hash).await? {
                return Err(Problem::Undelivered { message }.into());
            }
        }
        if record.state == AnchorState::Signed {
            self.journal.change(sequence, |record| record.sent(self.now_ms)).await?;
        }
        Ok(())
    }
}

/// The attempt's block, as far as commitments depend on it; none if the block is gone by now.
async fn inclusion(
    chain: &Chain,
    record: &AnchorRecord,
    attempt: &Attempt,
    receipt: &Receipt,
) -> Result<Option<Inclusion>, RpcError> {
    let block_hash = receipt.block_hash();
    Ok(chain.block(block_hash).await?.map(|block| Inclusion {
        tx_hash: attempt.hash,
        block_number: block.number,
        block_hash,
        timestamp_s: block.timestamp_s,
        succeeded: receipt.succeeded(),
        commitment: record.content.commitment(block.number, block.timestamp_s),
        gas_used: receipt.gas_used(),
        gas_price_wei: receipt.gas_price_wei(),
    }))
}
