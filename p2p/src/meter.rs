//! Counts the bytes of all streams, and slows down the reading of who sends more than its share.
//!
//! What no protocol sees is bounded here: gossip that is dropped as repeated, streams that are opened
//! and filled for nothing. Who is read slowly is held back by the flow control of Yamux or QUIC, so that
//! nothing is lost and nothing piles up in memory.

use crate::allowance::{Allowance, Rate};
use futures::{AsyncRead, AsyncWrite};
use libp2p::core::StreamMuxer;
use libp2p::core::muxing::{StreamMuxerBox, StreamMuxerEvent, SubstreamBox};
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};
use tokio::time::Sleep;

/// How long reading pauses where the allowance is used up: short against a round trip, long against
/// the cost of waking up.
const PAUSE: Duration = Duration::from_millis(10);

/// What is counted of all connections together.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
    pauses: AtomicU64,
}

impl Totals {
    /// Bytes read and written since the start, and how often reading paused.
    pub(crate) fn all(&self) -> [u64; 3] {
        [&self.bytes_in, &self.bytes_out, &self.pauses].map(|total| total.load(Ordering::Relaxed))
    }
}

/// A connection whose streams are counted.
pub(crate) struct Metered {
    inner: StreamMuxerBox,
    meter: Arc<Meter>,
}

/// One stream of it.
pub(crate) struct MeteredStream {
    inner: SubstreamBox,
    meter: Arc<Meter>,
    pause: Option<Pin<Box<Sleep>>>,
}

/// What the streams of one connection share.
struct Meter {
    reading: Mutex<Allowance>,
    totals: Arc<Totals>,
}

impl Metered {
    /// A connection from which this much is read.
    pub(crate) fn new(inner: StreamMuxerBox, rate: Rate, totals: Arc<Totals>) -> Self {
        let reading = Mutex::new(Allowance::new(rate, Instant::now()));
        Self { inner, meter: Arc::new(Meter { reading, totals }) }
    }

    fn stream(&self, inner: SubstreamBox) -> MeteredStream {
        MeteredStream { inner, meter: self.meter.clone(), pause: None }
    }
}

impl Meter {
    fn may_read(&self) -> bool {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner).has_some(Instant::now())
    }

    fn has_read(&self, bytes: usize) {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner).owe(bytes, Instant::now());
        self.totals.bytes_in.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    fn has_written(&self, bytes: usize) {
        self.totals.bytes_out.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

impl StreamMuxer for Metered {
    type Substream = MeteredStream;
    type Error = io::Error;

    fn poll_inbound(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<MeteredStream>> {
        let stream = ready!(Pin::new(&mut self.inner).poll_inbound(cx))?;
        Poll::Ready(Ok(self.stream(stream)))
    }

    fn poll_outbound(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<MeteredStream>> {
        let stream = ready!(Pin::new(&mut self.inner).poll_outbound(cx))?;
        Poll::Ready(Ok(self.stream(stream)))
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_close(cx)
    }

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<StreamMuxerEvent>> {
        Pin::new(&mut self.inner).poll(cx)
    }
}

impl AsyncRead for MeteredStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        loop {
            if let Some(pause) = &mut self.pause {
                ready!(pause.as_mut().poll(cx));
                self.pause = None;
            }
            if self.meter.may_read() {
                let read = ready!(Pin::new(&mut self.inner).poll_read(cx, into))?;
                self.meter.has_read(read);
                return Poll::Ready(Ok(read));
            }
            self.meter.totals.pauses.fetch_add(1, Ordering::Relaxed);
            self.pause = Some(Box::pin(tokio::time::sleep(PAUSE)));
        }
    }
}

impl AsyncWrite for MeteredStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.inner).poll_write(cx, from))?;
        self.meter.has_written(written);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_close(cx)
    }
}
