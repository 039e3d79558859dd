//! Nodes with real sockets: gossip, verdicts, requests, coming back, and staying apart.

// A failed step is a failed test.
#![allow(clippy::unwrap_used)]

mod support;

use p2p::message::{MAX_EVENT_BYTES, MAX_NOTE_BYTES, MAX_PAGE_IDS, REQUESTS_AT_ONCE};
use p2p::{
    BLOCKING_POINTS, Config, GossipVerdict, Greeting, Incoming, MapRoot, Misbehaviour, PassedOpening, PublishError,
    Request, RequestError, Response, StartError, start,
};
use provenance::id::{EventId, NetworkId, PublicKey, SubjectId};
use std::net::{TcpListener, UdpSocket};
use std::time::Duration;
use support::{Node, config, node, run, soon, until};
use tokio_util::sync::CancellationToken;

/// Publishes until the other side has it: gossip reaches whom is known to listen, and that is
/// known only some time after the connection.
async fn gossip(from: &Node, to: &mut Node, text: &str) -> (p2p::GossipId, Vec<Vec<u8>>) {
    for attempt in 0_u32.. {
        let events = [text.into(), attempt.to_be_bytes().to_vec()];
        from.handle.publish(&events).await.unwrap();
        let arrived = tokio::time::timeout(Duration::from_millis(100), to.incoming.recv()).await;
        if let Ok(Some(Incoming::Gossip { id, events, .. })) = arrived {
            return (id, events);
        }
    }
    unreachable!("there is no last attempt")
}

async fn gossip_between(listen: &str) {
    let a = run(Config { listen: vec![listen.to_owned()], ..config(1) }).await;
    let mut b = node(2, &[&a.address]).await;
    b.connected(a.id()).await;
    let (_, events) = soon(gossip(&a, &mut b, "news")).await;
    assert_eq!(events[0], b"news");
    a.stop().await;
    b.disconnected(a_id()).await;
    b.stop().await;
}

fn a_id() -> p2p::PeerId {
    p2p::IdentitySeed::from([1; 32]).peer_id()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_gossip_over_tcp() {
    gossip_between("/ip4/127.0.0.1/tcp/0").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_gossip_over_quic() {
    gossip_between("/ip4/127.0.0.1/udp/0/quic-v1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_accepted_travels_on_and_what_is_ignored_does_not() {
    let a = node(1, &[]).await;
    let mut b = node(2, &[&a.address]).await;
    let mut c = node(3, &[&b.address]).await;
    b.connected(a.id()).await;
    c.connected(b.id()).await;

    // The first messages settle who listens to whom.
    let relayed = soon(async {
        loop {
            let (id, _) = gossip(&a, &mut b, "accepted").await;
            b.handle.validated(id, GossipVerdict::Accept).await.unwrap();
            let arrived = tokio::time::timeout(Duration::from_millis(300), c.incoming.recv()).await;
            if let Ok(Some(Incoming::Gossip { events, from, id })) = arrived {
                c.handle.validated(id, GossipVerdict::Accept).await.unwrap();
                return (events, from);
            }
        }
    })
    .await;
    assert_eq!(relayed.0[0], b"accepted");
    assert_eq!(relayed.1, b.id(), "it comes from who passed it on");

    let (ignored, _) = soon(gossip(&a, &mut b, "ignored")).await;
    b.handle.validated(ignored, GossipVerdict::Ignore).await.unwrap();
    let (accepted, last) = soon(gossip(&a, &mut b, "last")).await;
    b.handle.validated(accepted, GossipVerdict::Accept).await.unwrap();
    loop {
        match c.next().await {
            Incoming::Gossip { events, .. } if events == last => break,
            Incoming::Gossip { events, .. } => assert_ne!(events[0], b"ignored"),
            other => panic!("unexpected: {other:?}"),
        }
    }
    let points: Vec<_> = b.handle.peers().await.unwrap().iter().map(|peer| peer.points).collect();
    assert_eq!(points, [0, 0], "nobody is to blame");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_passes_on_invalid_events_is_cut_off_and_forgiven() {
    let a = node(1, &[]).await;
    let bootstrap = vec![a.address.clone()];
    let mut b = run(Config { bootstrap, block_for: Duration::from_secs(3), ..config(2) }).await;
    b.connected(a.id()).await;
    for strike in 1..=4 {
        let (id, _) = soon(gossip(&a, &mut b, "invalid")).await;
        b.handle.validated(id, GossipVerdict::Reject).await.unwrap();
        if strike < 4 {
            let peers = b.handle.peers().await.unwrap();
            assert!((1..BLOCKING_POINTS).contains(&peers[0].points), "{peers:?}");
        }
    }
    b.disconnected(a.id()).await;
    assert_eq!(b.handle.peers().await, Ok(vec![]));
    b.connected(a.id()).await;
    let points = until(async || b.handle.peers().await.unwrap().first().map(|peer| peer.points));
    assert_eq!(points.await, 0, "forgiven");
    soon(gossip(&a, &mut b, "listened to again")).await;
}

fn opening(event: &EventId) -> PassedOpening {
    PassedOpening { event: *event, path: vec![10], salt: [1; 16], value: vec![0x61, b'a'] }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_answered() {
    let mut a = node(1, &[]).await;
    let mut b = node(2, &[&a.address]).await;
    b.connected(a.id()).await;
    let (a_id, b_id) = (a.id(), b.id());
    let greeting =
        |size| Greeting { log: PublicKey::from_bytes([9; 32]), log_size: size, program: "furrow/test".to_owned() };
    let ids: Vec<_> = (0..3).map(|byte| EventId::from_bytes([byte; 32])).collect();
    let known = ids.clone();
    let server = tokio::spawn(async move {
        loop {
            let Incoming::Request { from, request, reply } = a.next().await else { continue };
            assert_eq!(from, b_id);
            let response = match request {
                Request::Hello(theirs) => Response::Hello(greeting(theirs.log_size + 1)),
                Request::LogPage { from: 7, max: 3 } => Response::LogPage { log_size: 10, ids: known.clone() },
                // More than asked for.
                Request::LogPage { .. } => Response::LogPage { log_size: 10, ids: vec![known[0]; 100] },
                Request::Bodies { ids } if ids.is_empty() => {
                    let long = Response::Bodies { bodies: vec![Some(vec![0; MAX_EVENT_BYTES + 1])] };
                    assert!(reply.send(long).await.is_err());
                    continue;
                }
                Request::Bodies { ids } => {
                    Response::fitting(ids.iter().map(|id| (*id != known[1]).then(|| vec![7; MAX_EVENT_BYTES])))
                }
                Request::Cosign { note } if note.is_empty() => {
                    Response::CosignRefused { reason: 3, missing: vec![known[0]] }
                }
                Request::Cosign { note } => Response::Cosigned { line: format!("cosigned {}", note.len()) },
                Request::Openings { events } => Response::Openings { openings: events.iter().map(opening).collect() },
                Request::Anchor { commitment } => Response::Anchor { anchor: Some(commitment.to_vec()) },
                Request::KeptLog { from, .. } => Response::KeptLog { next: from, note: None, ids: Vec::new() },
                Request::Journals { keys } => Response::Journals { ends: vec![Vec::new(); keys.len()] },
                Request::State => Response::State { root: Some(MapRoot { size: 9, version: 8, hash: [7; 32] }) },
                // An older program.
                Request::MapPages { .. } => Response::Unsupported { kind: 7 },
                Request::Recent { subjects } => Response::Recent { events: vec![vec![(1, known[0])]; subjects.len()] },
                Request::Growth { .. } => Response::Growth { proof: None },
                Request::Unknown { kind, .. } => Response::Unsupported { kind },
            };
            reply.send(response).await.unwrap();
        }
    });

    let hello = b.handle.request(&a_id, Request::Hello(greeting(41))).await;
    assert_eq!(hello, Ok(Response::Hello(greeting(42))));
    let page = b.handle.request(&a_id, Request::LogPage { from: 7, max: 3 }).await;
    assert_eq!(page, Ok(Response::LogPage { log_size: 10, ids: ids.clone() }));
    let bodies = b.handle.request(&a_id, Request::Bodies { ids: ids.clone() }).await;
    let some = Some(vec![7; MAX_EVENT_BYTES]);
    assert_eq!(bodies, Ok(Response::Bodies { bodies: vec![some.clone(), None, some] }));

    let state = b.handle.request(&a_id, Request::State).await;
    assert_eq!(state, Ok(Response::State { root: Some(MapRoot { size: 9, version: 8, hash: [7; 32] }) }));
    let pages = b.handle.request(&a_id, Request::MapPages { keys: vec![vec![0; 9]] }).await;
    assert_eq!(pages, Ok(Response::Unsupported { kind: 7 }), "it fits every question, and is no offence");
    let recent = b.handle.request(&a_id, Request::Recent { subjects: vec![SubjectId::from_bytes([3; 32])] }).await;
    assert_eq!(recent, Ok(Response::Recent { events: vec![vec![(1, ids[0])]] }));

    let note = "x".repeat(MAX_NOTE_BYTES);
    let cosigned = b.handle.request(&a_id, Request::Cosign { note }).await;
    assert_eq!(cosigned, Ok(Response::Cosigned { line: format!("cosigned {MAX_NOTE_BYTES}") }));
    let refused = b.handle.request(&a_id, Request::Cosign { note: String::new() }).await;
    assert_eq!(refused, Ok(Response::CosignRefused { reason: 3, missing: vec![ids[0]] }));
    let openings = b.handle.request(&a_id, Request::Openings { events: ids.clone() }).await;
    assert_eq!(openings, Ok(Response::Openings { openings: ids.iter().map(opening).collect() }));
    let anchor = b.handle.request(&a_id, Request::Anchor { commitment: [5; 32] }).await;
    assert_eq!(anchor, Ok(Response::Anchor { anchor: Some(vec![5; 32]) }));

    let many = vec![ids[0]; 1000];
    let Ok(Response::Bodies { bodies }) = b.handle.request(&a_id, Request::Bodies { ids: many }).await else {
        panic!("no bodies")
    };
    assert_eq!(bodies.len(), 255, "as many as fit");

    let silent = b.handle.request(&a_id, Request::Bodies { ids: vec![] }).await;
    assert_eq!(silent, Err(RequestError::NoAnswer));
    assert_eq!(b.handle.peers().await.unwrap()[0].points, 0, "silence is no misbehaviour");
    let wrong = b.handle.request(&a_id, Request::LogPage { from: 0, max: 2 }).await;
    assert_eq!(wrong, Err(RequestError::WrongAnswer));
    assert_eq!(b.handle.peers().await.unwrap()[0].points, Misbehaviour::WrongAnswer.points(),);

    let oversize = Request::LogPage { from: 0, max: MAX_PAGE_IDS + 1 };
    let refused = b.handle.request(&a_id, oversize).await;
    assert!(matches!(refused, Err(RequestError::Oversize(_))), "{refused:?}");
    let stranger = p2p::IdentitySeed::from([99; 32]).peer_id();
    let nobody = b.handle.request(&stranger, Request::LogPage { from: 0, max: 1 }).await;
    assert_eq!(nobody, Err(RequestError::NotConnected));
    server.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_is_too_long_is_not_published() {
    let a = node(1, &[]).await;
    let events = [vec![0; 10], vec![0; MAX_EVENT_BYTES + 1]];
    let error = a.handle.publish(&events).await.unwrap_err();
    assert!(matches!(&error, PublishError::EventTooLong(long) if long.index == 1), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_without_end_is_cut_off() {
    let a = node(1, &[]).await;
    let mut b = node(2, &[&a.address]).await;
    b.connected(a.id()).await;
    let (a_id, b_id) = (a.id(), b.id());
    let mut incoming = a.incoming;
    let server = tokio::spawn(async move {
        while let Some(event) = incoming.recv().await {
            match event {
                Incoming::Request { reply, .. } => {
                    reply.send(Response::LogPage { log_size: 0, ids: vec![] }).await.unwrap();
                }
                Incoming::Disconnected(peer) if peer == b_id => return,
                _ => {}
            }
        }
    });
    let flood = async {
        loop {
            let ask = || b.handle.request(&a_id, Request::LogPage { from: 0, max: 1 });
            let answers = futures::future::join_all((0..REQUESTS_AT_ONCE).map(|_| ask())).await;
            let lost = [RequestError::Disconnected, RequestError::NotConnected];
            if answers.iter().any(|answer| answer.as_ref().is_err_and(|e| lost.contains(e))) {
                return;
            }
        }
    };
    soon(flood).await;
    soon(server).await.unwrap();
    assert_eq!(a.handle.peers().await, Ok(vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn peers_find_each_other_again_after_a_restart() {
    for listen in ["/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/udp/0/quic-v1"] {
        let a = run(Config { listen: vec![listen.to_owned()], ..config(1) }).await;
        let (address, id) = (a.address.clone(), a.id());
        let mut b = node(2, &[&address]).await;
        b.connected(id).await;
        a.stop().await;
        b.disconnected(id).await;

        let listen = vec![address.split("/p2p/").next().unwrap().to_owned()];
        let a = run(Config { listen, ..config(1) }).await;
        b.connected(id).await;
        soon(gossip(&a, &mut b, "back again")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_was_off_is_found_when_it_comes() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let listen = format!("/ip4/127.0.0.1/tcp/{port}");
    // The address without a peer id: whoever answers there.
    let mut b = node(2, &[&listen]).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let a = run(Config { listen: vec![listen], ..config(1) }).await;
    b.connected(a.id()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_dial_each_other_are_connected_once() {
    let ports = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let addresses = ports.map(|socket| format!("/ip4/127.0.0.1/tcp/{}", socket.local_addr().unwrap().port()));
    let both = |seed, own: usize| Config {
        listen: vec![addresses[own].clone()],
        // Its own address as well: one list for all nodes is a usual configuration.
        bootstrap: addresses.to_vec(),
        ..config(seed)
    };
    let (mut a, mut b) = tokio::join!(run(both(1, 0)), run(both(2, 1)));
    a.connected(b.id()).await;
    b.connected(a.id()).await;
    for node in [&a, &b] {
        assert_eq!(node.handle.peers().await.unwrap().len(), 1);
    }
    soon(gossip(&a, &mut b, "there")).await;
    soon(gossip(&b, &mut a, "and back")).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a network interface with multicast, which a sandbox may not have"]
async fn nodes_of_a_local_network_find_each_other() {
    let anywhere = |seed| Config { listen: vec!["/ip4/0.0.0.0/tcp/0".to_owned()], mdns: true, ..config(seed) };
    let (mut a, mut b) = tokio::join!(run(anywhere(101)), run(anywhere(102)));
    a.connected(b.id()).await;
    b.connected(a.id()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn networks_do_not_mix() {
    let mut a = node(1, &[]).await;
    let other = NetworkId::from_bytes([43; 32]);
    let mut foreign = run(Config { network: other, bootstrap: vec![a.address.clone()], ..config(2) }).await;
    let mut friend = node(3, &[&a.address]).await;
    friend.connected(a.id()).await;
    a.connected(friend.id()).await;
    soon(gossip(&friend, &mut a, "among us")).await;
    assert_eq!(a.handle.peers().await.unwrap().len(), 1);
    assert_eq!(foreign.handle.peers().await, Ok(vec![]));
    assert!(foreign.incoming.try_recv().is_err(), "it was never told of a peer");
    let refused = foreign.handle.request(&a.id(), Request::LogPage { from: 0, max: 1 }).await;
    assert!(refused.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn places_are_limited() {
    let mut a = run(Config { max_peers: 2, ..config(1) }).await;
    let mut others = Vec::new();
    for seed in 2..=3 {
        let other = node(seed, &[&a.address]).await;
        a.connected(other.id()).await;
        others.push(other);
    }
    let third = node(4, &[&a.address]).await;
    // More than long enough to connect on this machine, if there were a place.
    let refused = tokio::time::timeout(Duration::from_secs(2), a.connected(third.id())).await;
    assert!(refused.is_err(), "a third peer was let in");
    let others_id = others[0].id();
    others.remove(0).stop().await;
    // A place is free, and the third comes to it by itself.
    a.disconnected(others_id).await;
    a.connected(third.id()).await;
    assert_eq!(a.handle.peers().await.unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_occupied_port_is_named() {
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let node = node(1, &[]).await;
    let of_a_node = node.address.split("/p2p/").next().unwrap().to_owned();
    for address in [
        format!("/ip4/127.0.0.1/tcp/{}", tcp.local_addr().unwrap().port()),
        format!("/ip4/127.0.0.1/udp/{}/quic-v1", udp.local_addr().unwrap().port()),
        of_a_node,
    ] {
        let config = Config { listen: vec![address.clone()], ..config(2) };
        let error = start(config, CancellationToken::new()).await.unwrap_err();
        assert!(matches!(&error, StartError::Occupied(named) if *named == address), "{error:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_addresses_are_named() {
    let bad = "/ip4/127.0.0.1/udp/1".to_owned();
    let config_listen = Config { listen: vec![bad.clone()], ..config(1) };
    let error = start(config_listen, CancellationToken::new()).await.unwrap_err();
    assert!(matches!(&error, StartError::ListenAddress(named) if *named == bad), "{error:?}");
    let config_bootstrap = Config { bootstrap: vec!["node.example".to_owned()], ..config(1) };
    let error = start(config_bootstrap, CancellationToken::new()).await.unwrap_err();
    assert!(error.to_string().contains("node.example"), "{error}");
    // An address of the documentation range is nobody's.
    let elsewhere = Config { listen: vec!["/ip4/203.0.113.77/tcp/1".to_owned()], ..config(1) };
    let error = start(elsewhere, CancellationToken::new()).await.unwrap_err();
    assert!(matches!(error, StartError::Listen { .. }), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_node_says_so() {
    let mut a = run(Config { mdns: true, ..config(1) }).await;
    let handle = a.handle.clone();
    let id = a.id();
    let mut incoming = std::mem::replace(&mut a.incoming, tokio::sync::mpsc::channel(1).1);
    a.stop().await;
    assert_eq!(handle.peers().await, Err(p2p::Stopped));
    let request = Request::LogPage { from: 0, max: 1 };
    assert_eq!(handle.request(&id, request).await, Err(RequestError::Stopped(p2p::Stopped)));
    assert!(incoming.recv().await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn peers_are_described() {
    let a = node(1, &[]).await;
    let mut b = node(2, &[&a.address]).await;
    b.connected(a.id()).await;
    let described = async || {
        let peers = b.handle.peers().await.unwrap();
        let peer = peers.into_iter().next()?;
        (peer.round_trip.is_some() && peer.agent.is_some()).then_some(peer)
    };
    let peer = until(described).await;
    assert_eq!(peer.id, a.id());
    let bare = |address: &str| address.split("/p2p/").next().map(str::to_owned);
    assert_eq!(bare(&peer.addresses[0]), bare(&a.address));
    assert_eq!(peer.agent.unwrap(), format!("furrow/{}", env!("CARGO_PKG_VERSION")));
    assert!(peer.connected_since_ms > 1_600_000_000_000, "milliseconds of this age");
    assert_eq!(peer.points, 0);
}
