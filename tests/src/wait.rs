//! Waiting for what must happen, with an end.

use std::time::Duration;

/// No test waits longer for anything. Far more than the slowest step on a busy machine needs: it is
/// no measure of speed, only an end.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// How often a question is asked again: unnoticed by people, and a small load.
const AGAIN: Duration = Duration::from_millis(50);

/// Asks again and again until there is an answer.
///
/// # Panics
///
/// Where there is none within [`PATIENCE`]; `what` says for what was waited.
pub async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let asked = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(AGAIN).await;
        }
    };
    soon(what, asked).await
}

/// The outcome, which must come.
///
/// # Panics
///
/// Where it does not come within [`PATIENCE`].
pub async fn soon<T>(what: &str, outcome: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, outcome).await.unwrap_or_else(|_| panic!("waited {PATIENCE:?} in vain: {what}"))
}
