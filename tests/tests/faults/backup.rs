//! Backups: whole, verified, and refused where anything of them was changed.

use end_to_end::program;
use end_to_end::scene::{Scene, Site};
use end_to_end::signer::{self, Signer};
use end_to_end::{trade, views};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The exit code of a backup that does not hold.
const UNVERIFIED: i32 = 4;

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A node with some events, which has stopped.
async fn stopped(scene: &mut Scene) -> views::Shown {
    let north = scene.start("north").await;
    let farm = trade::farm(&north.client, "Jork").await;
    trade::lot(&north.client, &farm, "100").await;
    let mut signer = Signer::founder(scene, 1, 0);
    let orchard = signer.farm("Tramin");
    let lots: Vec<_> = (0..300).map(|_| signer.lot(&orchard, "10")).collect();
    north.client.submit(&[vec![orchard], lots].concat()).await;
    north.has_entries(north.log_size().await).await;
    let shown = views::all(&north.client).await;
    assert_eq!(north.stop().await.code(), Some(0));
    shown
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_comes_back_as_it_was() {
    let mut scene = Scene::new(&["north"], &[signer::public(1)]).await;
    let shown = stopped(&mut scene).await;
    let (cold, warm) = (scene.folder().join("cold"), scene.folder().join("warm"));
    let made = scene.site("north").json(&["backup", text(&cold), "--keys"]).await;
    assert_eq!((&made["log"]["size"], &made["keys"]), (&304.into(), &true.into()), "{made}");
    let again = scene.site("north").run(&["backup", text(&cold)]).await;
    assert_eq!(again.code, Some(2), "a folder that is there is never touched: {again:?}");

    // The same of the running node; only its own snapshot comes between.
    let north = scene.start("north").await;
    let other = scene.site("north").json(&["backup", text(&warm)]).await;
    assert_eq!(other["log"], made["log"]);
    assert_eq!(other["state_root"], made["state_root"]);
    assert!(!warm.join("keystore").exists() && !scene.site("north").folder().join("snapshots").exists());
    assert_eq!(north.stop().await.code(), Some(0));

    // A folder that somebody has made for it is as good as none.
    let restored = scene.folder().join("restored");
    std::fs::create_dir(&restored).unwrap();
    let ended = scene.site("north").json(&["restore", text(&cold), "--dir", text(&restored)]).await;
    assert_eq!(ended["log"], made["log"]);
    let again = scene.site("north").run(&["restore", text(&cold), "--dir", text(&restored)]).await;
    assert_eq!(again.code, Some(2), "{again:?}");
    scene.site("north").move_to(restored);
    let doctor = scene.site("north").run(&["doctor"]).await;
    assert!(doctor.out.contains("restored from a backup"), "{doctor:?}");
    // It has no peers, so it takes no writes; but it shows all that it holds.
    let north = scene.start("north").await;
    views::assert_same(&shown, &views::all(&north.client).await);
    assert_eq!(north.stop().await.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_backup_is_refused_and_the_file_is_named() {
    let mut scene = Scene::new(&["north"], &[signer::public(1)]).await;
    stopped(&mut scene).await;
    let backup = scene.folder().join("backup");
    scene.site("north").json(&["backup", text(&backup), "--keys"]).await;
    let site = scene.site("north").clone();
    let target = scene.folder().join("restored");
    let files = files(&backup);
    assert!(files.len() > 8, "{files:?}");
    for path in &files {
        let bytes = std::fs::read(path).unwrap();
        if bytes.is_empty() {
            continue;
        }
        let flipped = |at: usize| {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            changed
        };
        let ends = [flipped(0), flipped(bytes.len() / 2), flipped(bytes.len() - 1), bytes[..bytes.len() - 1].to_vec()];
        for changed in ends {
            std::fs::write(path, changed).unwrap();
            refused(&site, &backup, &target, path).await;
        }
        std::fs::remove_file(path).unwrap();
        let ended = site.run(&["restore", text(&backup), "--dir", text(&target)]).await;
        assert!(ended.code != Some(0) && !target.exists(), "{path:?} was missing: {ended:?}");
        std::fs::write(path, &bytes).unwrap();
    }
    let stranger = backup.join("store").join("000999.sst");
    std::fs::write(&stranger, b"not of this backup").unwrap();
    refused(&site, &backup, &target, &stranger).await;
    std::fs::remove_file(&stranger).unwrap();
    site.json(&["restore", text(&backup), "--dir", text(&target)]).await;
}

/// Demands that the backup is refused, that the file is named, and that nothing is left behind.
async fn refused(site: &Site, backup: &Path, target: &Path, file: &Path) {
    let ended = site.run(&["restore", text(backup), "--dir", text(target)]).await;
    assert_eq!(ended.code, Some(UNVERIFIED), "{}: {ended:?}", file.display());
    let name = file.file_name().unwrap().to_str().unwrap();
    assert!(ended.err.contains(name), "{} is not named: {ended:?}", file.display());
    assert!(!target.exists(), "nothing of a changed backup becomes a node");
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_is_killed_harms_nothing() {
    let mut scene = Scene::new(&["north"], &[signer::public(1)]).await;
    stopped(&mut scene).await;
    let north = scene.start("north").await;
    let (mut whole, mut cut_short) = (0, 0);
    for attempt in 0..8_u64 {
        let folder = scene.folder().join(format!("backup-{attempt}"));
        let mut child = scene.site("north").command(&["backup", text(&folder), "--keys"]).spawn().unwrap();
        tokio::time::sleep(Duration::from_millis(15 << attempt.min(6))).await;
        child.kill().await.unwrap();
        if folder.exists() {
            whole += 1;
            let target = scene.folder().join(format!("from-{attempt}"));
            restores(scene.site("north"), &folder, &target).await;
        } else {
            cut_short += 1;
        }
        assert_eq!(north.client.read("/health/ready").await.status, 200);
    }
    assert!(cut_short > 0, "{whole} backups ended before they were killed");
    // What killed ones left does not keep the next from its work.
    let folder = scene.folder().join("backup-0");
    if !folder.exists() {
        scene.site("north").json(&["backup", text(&folder), "--keys"]).await;
    }
    // The same for restoring.
    for attempt in 0..6_u64 {
        let target = scene.folder().join(format!("killed-{attempt}"));
        let mut child = program::command(&["restore", text(&folder), "--dir", text(&target)]).spawn().unwrap();
        tokio::time::sleep(Duration::from_millis(10 << attempt)).await;
        child.kill().await.unwrap();
        if !target.exists() {
            restores(scene.site("north"), &folder, &target).await;
        }
    }
    assert_eq!(north.stop().await.code(), Some(0));
}

async fn restores(site: &Site, backup: &Path, target: &Path) -> Value {
    site.json(&["restore", text(backup), "--dir", text(target)]).await
}
