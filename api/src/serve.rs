//! Serving until told to stop.

use crate::limits::SHUTDOWN_GRACE;
use crate::routes::router;
use crate::state::ApiState;
use std::io;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Serves until `shutdown` is cancelled; then takes no new connections and gives open requests 3 seconds to end.
pub async fn serve(listener: TcpListener, state: ApiState, shutdown: CancellationToken) -> io::Result<()> {
    let stop = shutdown.clone();
    let server = axum::serve(listener, router(state)).with_graceful_shutdown(async move { stop.cancelled().await });
    let deadline = async {
        shutdown.cancelled().await;
        tokio::time::sleep(SHUTDOWN_GRACE).await;
    };
    tokio::select! {
        ended = server => ended,
        () = deadline => {
            tracing::warn!("requests were still open {} s after the stop was asked for; they were cut", SHUTDOWN_GRACE.as_secs());
            Ok(())
        }
    }
}
