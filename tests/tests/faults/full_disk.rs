//! A disk that fills up: nothing is acknowledged that is not on it, the node says why, and goes on when there is room.
//!
//! The disk is a small one in memory (tmpfs). Where none can be mounted, the system limits the length of files instead;
//! then room is made by starting the node again without the limit.

use end_to_end::node::Node;
use end_to_end::scene::Scene;
use end_to_end::signer::{self, Signer};
use end_to_end::views;
use end_to_end::wait::until;
use provenance::event::SignedEvent;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The whole disk.
const DISK_MIB: u64 = 384;

/// What is left on it when the node is running: some thousands of events.
const LEFT_BYTES: u64 = 10 << 20;

/// The longest file where there is no such disk, in blocks of 512 bytes.
const LONGEST_BLOCKS: u32 = 8_000;

/// Far more than fits.
const LOTS: usize = 20_000;

/// A small disk; it is unmounted when this is dropped.
struct Disk(PathBuf);

impl Disk {
    fn mount(folder: &Path) -> Option<Self> {
        std::fs::create_dir(folder).unwrap();
        let size = format!("size={DISK_MIB}m");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "none"]).arg(folder).output();
        mounted.is_ok_and(|ended| ended.status.success()).then(|| Self(folder.to_owned()))
    }

    /// Fills the disk up to a rest with a file that can be removed.
    fn fill(&self) {
        let ballast = File::create(self.ballast()).unwrap();
        let fill = || {
            let space = rustix::fs::statvfs(&self.0).unwrap();
            let free = space.f_bavail * space.f_frsize;
            rustix::fs::fallocate(&ballast, rustix::fs::FallocateFlags::empty(), 0, free - LEFT_BYTES)
        };
        // The node makes files of its own meanwhile.
        while let Err(error) = fill() {
            assert_eq!(error, rustix::io::Errno::NOSPC);
        }
    }

    fn ballast(&self) -> PathBuf {
        self.0.join("ballast")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).output();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_acknowledged_that_does_not_fit() {
    let mut scene = Scene::new(&["north"], &[signer::public(1)]).await;
    let small = scene.folder().join("small");
    let disk = Disk::mount(&small);
    let site = scene.site("north");
    let node = if let Some(disk) = &disk {
        println!("the node lives on a disk of {DISK_MIB} MiB");
        let folder = small.join("north");
        let copied = Command::new("cp").arg("-a").arg(site.folder()).arg(&folder).status().unwrap();
        assert!(copied.success());
        site.move_to(folder);
        let node = site.start().await;
        disk.fill();
        node
    } else {
        println!("no disk can be mounted here, so files are limited to {LONGEST_BLOCKS} blocks");
        let limit = format!("trap '' XFSZ; ulimit -f {LONGEST_BLOCKS}; exec \"$@\"");
        site.within(["sh", "-c", &limit, "sh"].map(str::to_owned).to_vec());
        site.start().await
    };

    let mut signer = Signer::founder(&scene, 1, 0);
    let farm = signer.farm("Tramin");
    let mut acknowledged = vec![farm.id().to_string()];
    node.client.submit(std::slice::from_ref(&farm)).await;
    let mut refused = None;
    for _ in 0..LOTS / 100 {
        let some: Vec<SignedEvent> = (0..100).map(|_| signer.lot(&farm, "10")).collect();
        let bytes = some.iter().flat_map(|event| event.bytes().iter().copied()).collect();
        let answer = node.client.submit_bytes("application/cbor-seq", bytes).await;
        if answer.status != 200 {
            refused = Some((some, answer));
            break;
        }
        acknowledged.extend(some.iter().map(|event| event.id().to_string()));
    }
    let (some, answer) = refused.expect("the disk is full long before");
    println!("{} events were acknowledged before the disk was full", acknowledged.len());
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert!(answer.text().contains("storage"), "{}", answer.text());
    let ready = node.client.read("/health/ready").await;
    assert_eq!((ready.status, &ready.json()["faults"][0]["stops_writes"]), (503, &true.into()), "{}", ready.text());
    // It still shows what it has.
    assert_eq!(node.client.read(&format!("/api/v1/events/{}", acknowledged[0])).await.status, 200);

    let node = if let Some(disk) = &disk {
        std::fs::remove_file(disk.ballast()).unwrap();
        node
    } else {
        node.kill();
        scene.site("north").within(Vec::new());
        scene.start("north").await
    };
    node.takes_writes().await;
    has_all(&node, &acknowledged).await;
    // The same events again: some of them may have been on the disk although nobody was told.
    node.client.submit(&some).await;
    node.kill();
    let node = scene.start("north").await;
    acknowledged.extend(some.iter().map(|event| event.id().to_string()));
    has_all(&node, &acknowledged).await;
    assert_eq!(node.stop().await.code(), Some(0));
    drop(disk);
}

async fn has_all(node: &Node, acknowledged: &[String]) {
    until("the views show all", async || {
        let ids = views::event_ids(&node.client).await;
        acknowledged.iter().all(|id| ids.contains(id)).then_some(())
    })
    .await;
}
