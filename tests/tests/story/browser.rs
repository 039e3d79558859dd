//! The second verifier in a real browser, with the network unplugged.

use std::path::Path;
use std::process::Stdio;
use tokio::process::Command;

#[tokio::test]
async fn a_browser_comes_to_the_same_verdicts() {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests lie in the checkout");
    let ended = Command::new("node")
        .arg(checkout.join("tests/browser/verifier.mjs"))
        .arg(checkout.join("provenance/tests/provenance/golden"))
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .expect("Node.js is installed");
    let (out, err) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    assert!(ended.status.success(), "{out}{err}");
}
