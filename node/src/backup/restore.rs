//! Restoring a backup into a new folder: nothing of it is believed before it was verified.

use super::manifest::Manifest;
use super::{BackupError, CONFIGURATION, KEYSTORE, NETWORK, copying, verify};
use crate::data_dir::DataDir;
use crate::network_file;
use data_encoding::HEXLOWER;
use std::path::Path;

/// Where the parts of the new node come from.
#[derive(Debug)]
pub(crate) struct Source<'a> {
    /// The backup.
    pub(crate) backup: &'a Path,
    /// A keystore from elsewhere, instead of the one in the backup.
    pub(crate) keystore: Option<&'a Path>,
    /// Writes a new token.
    pub(crate) token: &'a [u8],
}

/// Verifies a backup and makes the folder of a node from it; what the backup says of itself.
pub(crate) async fn restore(
    source: Source<'_>,
    target: &Path,
    progress: impl Fn(&str),
) -> Result<Manifest, BackupError> {
    let manifest = Manifest::read(source.backup)?;
    let partial = copying::begin(target)?;
    match fill(source, &manifest, &partial, progress).await.and_then(|()| copying::finish(&partial, target)) {
        Ok(()) => Ok(manifest),
        Err(error) => {
            copying::give_up(target);
            Err(error)
        }
    }
}

/// Makes the node's folder under a name of its own.
async fn fill(
    source: Source<'_>,
    manifest: &Manifest,
    partial: &Path,
    progress: impl Fn(&str),
) -> Result<(), BackupError> {
    let backup = source.backup;
    progress("comparing and copying the files");
    verify::files(backup, manifest)?;
    let folder = DataDir::new(Some(partial)).expect("a folder is named");
    copying::make_folder(&folder.store())?;
    for file in &manifest.files {
        let (from, to) = (backup.join(&file.path), partial.join(&file.path));
        if file.path == KEYSTORE && source.keystore.is_some() {
            continue;
        }
        if copying::copy(&from, &to)? != (file.bytes, file.sha256.clone()) {
            return Err(BackupError::Changed { path: from, reason: "it has another hash" });
        }
    }
    if let Some(keystore) = source.keystore {
        copying::copy(keystore, &folder.keystore())?;
    }
    let token = folder.token();
    crate::durable::create(&token, source.token, crate::durable::Readable::ByOwner)
        .map_err(BackupError::file("writing", token))?;

    progress("verifying every event");
    let network = network_file::read(&partial.join(NETWORK))?;
    if network.id() != manifest.network {
        return Err(BackupError::Changed { path: backup.join(NETWORK), reason: "it defines another network" });
    }
    debug_assert!(partial.join(CONFIGURATION).exists(), "it is among the files");
    let store = verify::store_in(partial);
    let whole = verify::whole(&store, &network, |done| progress(&format!("verifying every event: {done} entries")))?;
    if (whole.size, HEXLOWER.encode(&whole.root)) != (manifest.log.size, manifest.log.root.clone()) {
        return Err(BackupError::Other("the log"));
    }
    if whole.note != manifest.checkpoint {
        return Err(BackupError::Other("the newest checkpoint"));
    }
    progress("making views and state map again");
    if HEXLOWER.encode(&verify::make_again(&store, &network).await?) != manifest.state_root {
        return Err(BackupError::Other("the state map"));
    }
    Ok(())
}
