//! The demonstration tells its story to the end, and leaves nothing behind but its folder.

use end_to_end::program;
use std::fs;
use std::path::{Path, PathBuf};

#[tokio::test(flavor = "multi_thread")]
async fn the_demonstration_once() {
    let scene = tempfile::Builder::new().prefix("furrow-test-").tempdir().unwrap();
    let folder = |name: &str| {
        let path = scene.path().join(name);
        fs::create_dir(&path).unwrap();
        path
    };
    let (own, home, temporary, current) = (folder("own"), folder("home"), folder("temporary"), folder("current"));
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let (harvest, verifier) = (checkout.join("demo/harvest.csv"), checkout.join("web/verifier/dist/cli.js"));
    let text = |path: &PathBuf| path.to_str().unwrap().to_owned();
    let (dir, harvest, verifier, anvil) =
        (text(&own), text(&harvest), text(&verifier), text(&end_to_end::anvil::binary()));
    let mut demo = program::command(&[
        "demo",
        "--once",
        "--json",
        "--dir",
        &dir,
        "--harvest",
        &harvest,
        "--verifier",
        &verifier,
        "--anvil",
        &anvil,
    ]);
    demo.current_dir(&current).env("HOME", &home).env("TMPDIR", &temporary);
    let ended = program::run(demo).await;
    assert_eq!(ended.code, Some(0), "{ended:?}\n{}", logs(&own).join("\n"));

    let told = ended.json();
    let steps = told["steps"].as_array().unwrap();
    assert!(steps.len() >= 6, "{told:#}");
    for step in steps {
        let result = step["result"].as_str().unwrap();
        assert!(!result.is_empty() && !result.to_lowercase().contains("fail"), "{step}");
    }
    let nodes = told["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), 3, "{told:#}");
    let size = |node: &serde_json::Value| node["log_size"].to_string().trim_matches('"').to_owned();
    assert!(nodes.iter().all(|node| size(node) == size(&nodes[0])), "all have the same events: {told:#}");
    assert!(told["verified_after_s"].is_number());

    for untouched in [&home, &temporary, &current] {
        let found: Vec<_> = fs::read_dir(untouched).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(found.is_empty(), "files outside the demonstration's folder: {found:?}");
    }
    assert_eq!(processes_of(scene.path()), Vec::<String>::new(), "processes are left");
}

/// The command lines of all processes that have something to do with a folder.
fn processes_of(folder: &Path) -> Vec<String> {
    let needle = folder.to_str().unwrap();
    let processes = fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().parse::<u32>().is_ok_and(|pid| pid != std::process::id()));
    let told = |file: PathBuf| String::from_utf8_lossy(&fs::read(file).unwrap_or_default()).replace('\0', " ");
    let of_folder = processes.map(|entry| entry.path()).filter(|process| {
        let current = fs::read_link(process.join("cwd")).unwrap_or_default();
        current.starts_with(folder)
            || told(process.join("cmdline")).contains(needle)
            || told(process.join("environ")).contains(needle)
    });
    of_folder.map(|process| told(process.join("cmdline"))).collect()
}

/// The ends of all logs below a folder, for whoever has to find out what went wrong.
fn logs(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let end = |path: PathBuf| {
        let log = fs::read_to_string(&path).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        format!("--- {}\n{}", path.display(), lines[lines.len().saturating_sub(20)..].join("\n"))
    };
    let of_entry = |path: PathBuf| match path.extension() {
        _ if path.is_dir() => logs(&path),
        Some(extension) if extension == "log" => vec![end(path)],
        _ => Vec::new(),
    };
    entries.flat_map(of_entry).collect()
}
