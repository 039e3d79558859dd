//! `furrow log contradictions`: logs of other nodes that were rewritten, each with its proof, verified here.

use crate::cli::Global;
use crate::failure::{Exit, Failure, OrExit};
use crate::output::printable;
use clap::Args;
use data_encoding::HEXLOWER;
use provenance::contradiction::{Contradiction, Rewritten};
use provenance::merkle::Hash;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::PathBuf;

/// The longest file that is read: two hundred proofs of the largest kind.
const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;

/// The node lists at most as many.
const MOST: usize = 200;

/// Show which logs of other nodes were rewritten, and verify the proofs
///
/// Asks the running node for the proofs that it keeps, or reads them from a file that this command wrote with --json. Either
/// way nobody is believed: both signatures and all hashes are verified here.
#[derive(Debug, Args)]
pub(crate) struct Contradictions {
    /// The proofs, as this command prints them with --json [default: those that the node keeps]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

impl Contradictions {
    pub(crate) async fn run(self, global: &Global) -> Result<(), Failure> {
        let proofs = match &self.file {
            Some(file) => {
                let length = std::fs::metadata(file).or_exit(Exit::BadInput)?.len();
                if length > MAX_FILE_BYTES {
                    return Err(Failure::new(Exit::BadInput, "the file is longer than 4 MiB; it holds no proofs"));
                }
                let bytes = std::fs::read(file).or_exit(Exit::BadInput)?;
                let value: Value = serde_json::from_slice(&bytes).or_exit(Exit::BadInput)?;
                value.get("contradictions").and_then(Value::as_array).cloned().unwrap_or_default()
            }
            None => global.client()?.all("/log/contradictions", MOST).await?,
        };
        if self.file.is_some() && proofs.is_empty() {
            return Err(Failure::new(
                Exit::BadInput,
                "the file holds no proof; it is what this command prints with --json",
            ));
        }
        let (mut shown, mut text, mut invalid) = (Vec::new(), String::new(), 0);
        for proof in &proofs {
            match verified(proof) {
                Ok(proven) => describe(&mut text, proof, &proven),
                Err(why) => {
                    invalid += 1;
                    let _ = writeln!(text, "INVALID: {why}");
                }
            }
            let fields = ["log", "node", "first", "second", "before", "between"];
            shown.push(
                fields
                    .into_iter()
                    .map(|field| (field, proof.get(field).cloned().unwrap_or_default()))
                    .collect::<Value>(),
            );
        }
        if proofs.is_empty() {
            text += "No log is known to contradict itself.\n";
        }
        global.output().print(&json!({ "contradictions": shown, "invalid": invalid }), || text)?;
        if invalid > 0 {
            return Err(Failure::new(Exit::Unverified, format!("{invalid} of {} proofs do not hold", proofs.len())));
        }
        Ok(())
    }
}

fn verified(proof: &Value) -> Result<Rewritten, String> {
    let note = |field: &str| proof.get(field).and_then(Value::as_str).map(str::to_owned).ok_or(field.to_owned());
    let hashes = |field: &str| {
        let list = proof.get(field).and_then(Value::as_array);
        list.and_then(|list| list.iter().map(hash).collect::<Option<Vec<Hash>>>()).ok_or(field.to_owned())
    };
    let read = || {
        Ok(Contradiction {
            first: note("first")?,
            second: note("second")?,
            before: hashes("before")?,
            between: hashes("between")?,
        })
    };
    let proof: Contradiction = read().map_err(|field: String| format!("'{field}' is missing or no hex"))?;
    proof.verify().map_err(|error| error.to_string())
}

fn hash(value: &Value) -> Option<Hash> {
    HEXLOWER.decode(value.as_str()?.as_bytes()).ok()?.try_into().ok()
}

fn describe(out: &mut String, proof: &Value, proven: &Rewritten) {
    let node = printable(proof.get("node").and_then(Value::as_str).unwrap_or("none by now"));
    let (first, second) = (&proven.first, &proven.second);
    let what = if first.size == second.size {
        format!("It signed two different checkpoints of {} entries.", first.size)
    } else {
        format!(
            "It signed a checkpoint of {} entries that does not begin with the {} entries of another one that it signed.",
            second.size, first.size
        )
    };
    let _ = writeln!(
        out,
        "REWRITTEN: the log {}\n  network    {}\n  node       {node}\n  {what} Signatures and hashes hold.",
        proven.origin.key, proven.origin.network
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::{Signer, SigningKey};
    use provenance::checkpoint::Checkpoint;
    use provenance::id::{NetworkId, PublicKey};
    use provenance::origin::LogOrigin;

    #[test]
    fn a_proof_that_holds_is_told_and_a_changed_one_is_not() {
        let secret = SigningKey::from_bytes(&[1; 32]);
        let key = PublicKey::from_bytes(secret.verifying_key().to_bytes());
        let origin = LogOrigin { network: NetworkId::from_bytes([2; 32]), key }.to_string();
        let note = |root| {
            let checkpoint = Checkpoint { origin: origin.clone(), size: 7, root: [root; 32], state_root: [0; 32] };
            checkpoint.to_note(&key, |text| secret.sign(text).to_bytes())
        };
        let mut proof =
            json!({ "first": note(1), "second": note(2), "before": [], "between": [], "node": "\u{1b}[31m" });
        let mut text = String::new();
        describe(&mut text, &proof, &verified(&proof).unwrap());
        assert!(text.contains("two different checkpoints of 7 entries") && text.contains(&key.to_string()), "{text}");
        assert!(!text.contains('\u{1b}'), "what a node says is not for the terminal");
        proof["second"] = note(1).into();
        assert!(verified(&proof).is_err());
    }

    #[test]
    fn what_is_no_proof_is_said_to_be_none() {
        let missing = json!({ "first": "x", "second": "y", "before": [] });
        assert_eq!(verified(&missing).unwrap_err(), "'between' is missing or no hex");
        let no_hash = json!({ "first": "x", "second": "y", "before": ["00"], "between": [] });
        assert_eq!(verified(&no_hash).unwrap_err(), "'before' is missing or no hex");
        let no_note = json!({ "first": "x", "second": "y", "before": [], "between": [] });
        assert!(verified(&no_note).unwrap_err().contains("note"));
    }
}
