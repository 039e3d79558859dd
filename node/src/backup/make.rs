//! Making a backup: the store is copied, marked, given its newest state map, verified and hashed.

use super::manifest::{LogInBackup, Manifest};
use super::{BackupError, CONFIGURATION, KEYSTORE, NETWORK, STORE, copying, verify};
use crate::config::Configuration;
use crate::data_dir::DataDir;
use crate::keystore::{Keystore, LOG, PublicKeyEntry};
use crate::network_file;
use data_encoding::HEXLOWER;
use ledger::Restored;
use provenance::checkpoint::Checkpoint;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use store::{Store, StoreOptions};

/// A backup that was made.
#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) folder: PathBuf,
    pub(crate) manifest: Manifest,
}

/// What a backup is made of.
#[derive(Debug)]
pub(crate) struct Taken<'a> {
    /// The node's folder.
    pub(crate) folder: &'a DataDir,
    pub(crate) configuration: &'a Configuration,
    /// A snapshot of its store.
    pub(crate) snapshot: &'a Path,
    /// With the keystore.
    pub(crate) keys: bool,
}

/// Makes a backup at `path`. `progress` is told what is done.
pub(crate) async fn make(taken: &Taken<'_>, path: &Path, progress: impl Fn(&str)) -> Result<Made, BackupError> {
    let partial = copying::begin(path)?;
    let filled = fill(taken, &partial, progress).await;
    match filled.and_then(|manifest| copying::finish(&partial, path).map(|()| manifest)) {
        Ok(manifest) => Ok(Made { folder: path.to_owned(), manifest }),
        Err(error) => {
            copying::give_up(path);
            Err(error)
        }
    }
}

/// Makes the backup under a name of its own.
async fn fill(taken: &Taken<'_>, partial: &Path, progress: impl Fn(&str)) -> Result<Manifest, BackupError> {
    let Taken { folder, configuration, snapshot, keys } = *taken;
    let network = network_file::read(&folder.network())?;
    let log = Keystore::public_keys(&folder.keystore())?;
    let log = log.iter().find(|key| key.name == LOG).and_then(PublicKeyEntry::public_key);
    let log = log.ok_or_else(|| crate::keystore::KeystoreError::Unknown(LOG.to_owned()))?;
    let store = partial.join(STORE);

    progress("copying the store");
    copying::make_folder(&store)?;
    for name in copying::list(snapshot)? {
        copying::copy(&snapshot.join(&name), &store.join(&name))?;
    }
    copying::copy(&folder.network(), &partial.join(NETWORK))?;
    copying::copy(&folder.configuration(), &partial.join(CONFIGURATION))?;
    // After the store: a key that was made meanwhile is in the keystore before anything is signed with it.
    if keys {
        copying::copy(&folder.keystore(), &partial.join(KEYSTORE))?;
    }

    progress("bringing the state map up to date");
    mark(&store, log)?;
    let state_root = verify::map(&store, &network).await?;

    progress("verifying every event");
    let whole = verify::whole(&store, &network, |done| progress(&format!("verifying every event: {done} entries")))?;
    if let Some(note) = &whole.note {
        Checkpoint::open(note, &log).map_err(|_| BackupError::Other("the newest checkpoint"))?;
    }

    progress("hashing the files");
    copying::sync_folders(partial)?;
    let files = copying::hash_all(partial)?;
    let made = jiff::Timestamp::try_from(SystemTime::now()).map_or_else(|_| String::new(), |time| time.to_string());
    let (size, root) = (whole.size, HEXLOWER.encode(&whole.root));
    let manifest = Manifest::new(
        made,
        configuration.node.name.clone(),
        network.id(),
        LogInBackup { key: log, size, root },
        HEXLOWER.encode(&state_root),
        whole.note,
        keys,
        files,
    );
    manifest.write(partial)?;
    // What was read back is what was written.
    verify::files(partial, &Manifest::read(partial)?)?;
    Ok(manifest)
}

/// Marks the copy before it can be mistaken for the node's store.
fn mark(store: &Path, log: provenance::id::PublicKey) -> Result<(), BackupError> {
    let opened = Store::open(store, &StoreOptions { create: false, ..StoreOptions::default() })?;
    let size = opened.last::<store::Log>()?.map_or(0, |(index, _)| index + 1);
    let note = opened.last::<store::Checkpoints>()?.map(|(_, row)| row.note);
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let backup_ms = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
    // A backup of a node that has not found its own end yet says what the backup before it said.
    let mark = match Restored::of(&opened)? {
        Some(earlier) => Restored { backup_ms, ..earlier },
        None => Restored { log, size, note, backup_ms },
    };
    Ok(mark.mark(&opened)?)
}
