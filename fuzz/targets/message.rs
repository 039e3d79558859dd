//! Bytes from a peer: requests, responses and gossip. What is accepted is encoded again to the same bytes.
#![no_main]
#![allow(dead_code, unreachable_pub, unused_imports)]

// The network crate brings libp2p, which is of no use here and would have to be built with instrumentation.
#[path = "../../p2p/src/gossip.rs"]
mod gossip;
#[path = "../../p2p/src/message/mod.rs"]
mod message;
#[path = "../../p2p/src/wire.rs"]
mod wire;

use libfuzzer_sys::fuzz_target;
use message::{Request, Response};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(request) = Request::decode(bytes) {
        assert_eq!(request.encode(), bytes);
    }
    if let Ok(response) = Response::decode(bytes) {
        assert_eq!(response.encode(), bytes);
    }
    let _ = gossip::unpack(bytes);
});
