//! Reads and writes one sync message per stream, as libp2p's request-response asks for it.
//!
//! A message ends where its sender closes the stream. Bytes that are no message are handed on as
//! [`Malformed`] instead of failing the stream, because libp2p reports no failed inbound request
//! and the peer that sent them is to be held to account.

use crate::message::{MAX_REQUEST_BYTES, MAX_RESPONSE_BYTES, Request, Response};
use crate::wire::Malformed;
use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use libp2p::{StreamProtocol, request_response};
use std::io;

/// The codec of the sync protocol.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SyncCodec;

impl request_response::Codec for SyncCodec {
    type Protocol = StreamProtocol;
    type Request = Result<Request, Malformed>;
    type Response = Result<Response, Malformed>;

    async fn read_request<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Self::Request>
    where
        T: AsyncRead + Unpin + Send,
    {
        let bytes = read(io, MAX_REQUEST_BYTES).await?;
        Ok(Request::decode(&bytes))
    }

    async fn read_response<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Self::Response>
    where
        T: AsyncRead + Unpin + Send,
    {
        let bytes = read(io, MAX_RESPONSE_BYTES).await?;
        Ok(Response::decode(&bytes))
    }

    async fn write_request<T>(&mut self, _: &StreamProtocol, io: &mut T, request: Self::Request) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        let request = request.map_err(io::Error::other)?;
        io.write_all(&request.encode()).await
    }

    async fn write_response<T>(&mut self, _: &StreamProtocol, io: &mut T, response: Self::Response) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        let response = response.map_err(io::Error::other)?;
        io.write_all(&response.encode()).await
    }
}

/// Everything up to the stream's end, or one byte more than `limit` of what is too long. The
/// buffer grows with what arrives, so that a promise of much costs nothing.
async fn read<T: AsyncRead + Unpin + Send>(io: &mut T, limit: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    io.take(limit as u64 + 1).read_to_end(&mut bytes).await?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::executor::block_on;
    use futures::io::{Cursor, repeat};
    use libp2p::request_response::Codec;

    const PROTOCOL: StreamProtocol = StreamProtocol::new("/furrow/test/sync/1");

    #[test]
    fn a_message_is_read_to_its_end() {
        let request = Request::LogPage { from: 5, max: 6 };
        let mut stream = Cursor::new(Vec::new());
        block_on(SyncCodec.write_request(&PROTOCOL, &mut stream, Ok(request.clone()))).unwrap();
        stream.set_position(0);
        let read = block_on(SyncCodec.read_request(&PROTOCOL, &mut stream)).unwrap();
        assert_eq!(read, Ok(request));
    }

    #[test]
    fn a_stream_without_end_is_cut_at_the_limit() {
        let read = block_on(SyncCodec.read_request(&PROTOCOL, &mut repeat(0x80))).unwrap();
        assert_eq!(read, Err(Malformed::TooLarge { limit: MAX_REQUEST_BYTES }));
        let read = block_on(SyncCodec.read_response(&PROTOCOL, &mut repeat(0x80))).unwrap();
        assert_eq!(read, Err(Malformed::TooLarge { limit: MAX_RESPONSE_BYTES }));
    }

    #[test]
    fn no_answer_is_told_from_a_bad_one() {
        let read = block_on(SyncCodec.read_response(&PROTOCOL, &mut Cursor::new([]))).unwrap();
        assert_eq!(read, Err(Malformed::Empty));
    }
}
