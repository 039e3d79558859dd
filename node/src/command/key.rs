//! `furrow key`: the keystore's keys, and countersigning one's own enrolment.

use crate::cli::Global;
use crate::command::key_change::KeyChange;
use crate::enrolment::Enrolment;
use crate::failure::{Exit, Failure, OrExit};
use crate::keystore::{COOPERATIVE, Cost, Keystore, Kind, PublicKeyEntry, Secret};
use crate::output::table;
use crate::passphrase::Passphrase;
use clap::{Subcommand, ValueEnum};
use data_encoding::{BASE64, HEXLOWER};
use ed25519_dalek::Signer;
use ledger::Restored;
use provenance::id::PublicKey;
use provenance::payload::did_key;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use store::{Store, StoreOptions};

/// In front of the 32 bytes of an Ed25519 key in a `SubjectPublicKeyInfo` (RFC 8410 §4).
const SPKI_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// Commands about keys.
#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    /// Make a keystore with a node's keys; with a name, add one more signing key to it
    New {
        /// Name of the further key
        name: Option<String>,
    },
    /// All keys with their public halves; needs no passphrase
    List,
    /// One key's public half in all its forms; needs no passphrase
    Show {
        /// Which key
        #[arg(default_value = COOPERATIVE)]
        name: String,
    },
    /// Write one signing key's public half for other programs; needs no passphrase
    ExportPublic {
        /// Which key
        #[arg(default_value = COOPERATIVE)]
        name: String,
        /// In which form
        #[arg(long, value_enum, default_value_t = Form::Pem)]
        form: Form,
    },
    /// Encrypt the keystore under another passphrase
    ChangePassphrase {
        /// File that holds the new passphrase, instead of being asked for it
        #[arg(long, value_name = "FILE")]
        new_passphrase_file: Option<PathBuf>,
    },
    /// Sign again with a key of a restored node although no peer has confirmed its journal
    ///
    /// If the key has signed anything since the backup that no peer still has, its journal forks, which is held
    /// against its owner for ever. A new key is the safe way. The node must be stopped.
    TrustJournal {
        /// Its name in the keystore, or its public half
        key: String,
    },
    /// Agree to be enrolled: sign the enrolment that somebody prepared for your key
    Countersign {
        /// The file from 'furrow actor enrol --prepare'
        #[arg(long, value_name = "FILE")]
        enrolment: PathBuf,
        /// With which key
        #[arg(long, default_value = COOPERATIVE)]
        key: String,
    },
    #[command(flatten)]
    Change(KeyChange),
}

/// How a public key is written.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Form {
    /// For openssl and most libraries
    Pem,
    /// As Furrow shows keys
    Base32,
    /// As events name their signer
    Did,
}

impl Key {
    pub(crate) async fn run(self, global: &Global) -> Result<(), Failure> {
        let path = global.data_dir()?.keystore();
        match self {
            Self::Change(change) => change.run(global).await,
            Self::New { name: None } => make(global, &path),
            Self::New { name: Some(name) } => add(global, &path, &name),
            Self::List => list(global, &path),
            Self::Show { name } => show(global, &find(&path, &name)?),
            Self::ExportPublic { name, form } => export(global, &find(&path, &name)?, form),
            Self::ChangePassphrase { new_passphrase_file } => {
                let mut keystore = global.keystore_to_write()?;
                let fresh = Passphrase::ask_new(new_passphrase_file.as_deref()).or_exit(Exit::Keystore)?;
                keystore.change_passphrase(&fresh, Cost::STANDARD).or_exit(Exit::Keystore)?;
                let value = json!({ "keystore": path, "changed": true });
                global.output().print(&value, || {
                    "The keystore has a new passphrase. Backups made before still open with the old one.".to_owned()
                })?;
                Ok(())
            }
            Self::TrustJournal { key } => trust_journal(global, &key),
            Self::Countersign { enrolment, key } => countersign(global, &enrolment, &key),
        }
    }
}

fn make(global: &Global, path: &Path) -> Result<(), Failure> {
    if path.exists() {
        let message =
            format!("there is a keystore at {} already; add a key to it with 'furrow key new NAME'", path.display());
        return Err(Failure::new(Exit::Keystore, message));
    }
    global.data_dir()?.make().or_exit(Exit::Failed)?;
    let passphrase = Passphrase::ask_new(global.passphrase_file.as_deref()).or_exit(Exit::Keystore)?;
    Keystore::create(path, &passphrase, Cost::STANDARD).or_exit(Exit::Keystore)?;
    list(global, path)
}

fn add(global: &Global, path: &Path, name: &str) -> Result<(), Failure> {
    let mut keystore = global.keystore_to_write()?;
    let secret = Secret::generate(Kind::Ed25519).or_exit(Exit::Keystore)?;
    keystore.add(name, secret).or_exit(Exit::Keystore)?;
    show(global, &find(path, name)?)
}

fn list(global: &Global, path: &Path) -> Result<(), Failure> {
    let keys = Keystore::public_keys(path).or_exit(Exit::Keystore)?;
    let value = json!({ "keystore": path, "keys": keys });
    let row = |key: &PublicKeyEntry| {
        [
            key.name.clone(),
            kind_name(key.kind).to_owned(),
            key.public.clone().unwrap_or_else(|| "(no public half)".to_owned()),
        ]
    };
    global
        .output()
        .print(&value, || table(["name", "kind", "public half"], &keys.iter().map(row).collect::<Vec<_>>()))?;
    Ok(())
}

fn find(path: &Path, name: &str) -> Result<PublicKeyEntry, Failure> {
    let keys = Keystore::public_keys(path).or_exit(Exit::Keystore)?;
    keys.into_iter()
        .find(|key| key.name == name)
        .ok_or_else(|| Failure::new(Exit::BadInput, format!("the keystore has no key '{name}'; see 'furrow key list'")))
}

fn show(global: &Global, key: &PublicKeyEntry) -> Result<(), Failure> {
    let mut forms: Vec<(&str, &str, String)> = Vec::new();
    if let Some(public) = key.public_key() {
        forms.push(("public_key", "public key", public.to_string()));
        forms.push(("did", "did:key", did_key(&public)));
        forms.push(("hex", "hexadecimal", HEXLOWER.encode(public.as_bytes())));
    } else if let Some(public) = &key.public {
        let name = if key.kind == Kind::Peer { ("peer_id", "peer id") } else { ("address", "Ethereum address") };
        forms.push((name.0, name.1, public.clone()));
    }
    let mut value = json!({ "name": key.name, "kind": key.kind });
    for (name, _, text) in &forms {
        value[*name] = Value::String(text.clone());
    }
    global.output().print(&value, || {
        let lines = forms.iter().map(|(_, label, text)| format!("  {label:<17} {text}\n"));
        format!("{} ({})\n{}", key.name, kind_name(key.kind), lines.collect::<String>())
    })?;
    Ok(())
}

fn export(global: &Global, key: &PublicKeyEntry, form: Form) -> Result<(), Failure> {
    let public = key.public_key().ok_or_else(|| {
        Failure::new(
            Exit::BadInput,
            format!("'{}' is not a signing key; 'furrow key show {0}' prints its public half", key.name),
        )
    })?;
    let text = match form {
        Form::Pem => pem(&public),
        Form::Base32 => public.to_string(),
        Form::Did => did_key(&public),
    };
    global.output().print(&json!({ "name": key.name, "public": text }), || text.clone())?;
    Ok(())
}

fn pem(key: &PublicKey) -> String {
    let mut der = SPKI_PREFIX.to_vec();
    der.extend_from_slice(key.as_bytes());
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----", BASE64.encode(&der))
}

fn countersign(global: &Global, file: &Path, name: &str) -> Result<(), Failure> {
    let enrolment = Enrolment::read(file)?;
    let keystore = global.keystore()?;
    let secret = keystore.get(name).or_exit(Exit::BadInput)?;
    if secret.kind() != Kind::Ed25519 || secret.public_key() != enrolment.key {
        let message = format!(
            "the enrolment is for key {}, and '{name}' is another; choose the right one with --key",
            enrolment.key
        );
        return Err(Failure::new(Exit::BadInput, message));
    }
    let signature = HEXLOWER.encode(&secret.signing_key().sign(&enrolment.countersigned_bytes()?).to_bytes());
    let value = json!({ "countersignature": signature, "enrolment": enrolment.summary() });
    global.output().print(&value, || {
        format!(
            "You agree to this enrolment:\n{}Send this countersignature to whoever prepared it:\n{signature}",
            enrolment.describe()
        )
    })?;
    Ok(())
}

fn trust_journal(global: &Global, key: &str) -> Result<(), Failure> {
    let folder = global.data_dir()?;
    let public = match key.parse::<PublicKey>() {
        Ok(public) => Some(public),
        Err(_) => find(&folder.keystore(), key)?.public_key(),
    };
    let public = public.ok_or_else(|| Failure::new(Exit::BadInput, format!("'{key}' is no key that signs events")))?;
    let store = Store::open(&folder.store(), &StoreOptions { create: false, ..StoreOptions::default() });
    let store = store.or_exit_with(Exit::CannotStart, || "the node must be stopped for this".to_owned())?;
    if Restored::of(&store)?.is_some() {
        let message = "the node's log is recovered first; start the node, and see 'furrow status'";
        return Err(Failure::new(Exit::BadInput, message));
    }
    if ledger::trust_journals(&store, &[public])? == 0 {
        return Err(Failure::new(Exit::BadInput, format!("nothing keeps key {public} from signing")));
    }
    let value = json!({ "key": public, "trusted": true });
    global.output().print(&value, || format!("Key {public} signs again when the node is started."))?;
    Ok(())
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Ed25519 => "signs",
        Kind::Peer => "peer identity",
        Kind::Secp256k1 => "Ethereum account",
        Kind::Data => "encrypts",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_exported_as_openssl_reads_it() {
        // The public key of RFC 8410 §10.1.
        let bytes = HEXLOWER.decode(b"19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1").unwrap();
        let key = PublicKey::try_from(bytes.as_slice()).unwrap();
        assert!(pem(&key).contains("MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE="));
    }
}
