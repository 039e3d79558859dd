//! Starting a node's network: read the addresses, open the sockets, hand over to the event loop.

use crate::admission::Door;
use crate::behaviour;
use crate::config::{COMMANDS_QUEUED, Config, INCOMING_QUEUED, LISTEN_TIMEOUT};
use crate::handle::{Handle, Incoming};
use crate::peer::PeerId;
use crate::service::Service;
use crate::socket;
use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;
use std::io;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Why the network could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A listen address is not understood.
    #[error(
        "'{0}' is not an address to listen on; write /ip4/ADDRESS/tcp/PORT or \
         /ip4/ADDRESS/udp/PORT/quic-v1, with ip6 for IPv6"
    )]
    ListenAddress(String),
    /// A bootstrap address is not understood.
    #[error(
        "'{0}' is not the address of a peer; write /ip4/ADDRESS/tcp/PORT or \
         /dns4/NAME/udp/PORT/quic-v1, best with /p2p/PEER-ID behind it"
    )]
    BootstrapAddress(String),
    /// An external address is not understood.
    #[error("'{0}' is not an address at which others reach this node; write it like /ip4/ADDRESS/tcp/PORT")]
    ExternalAddress(String),
    /// Another program uses the port.
    #[error("cannot listen on {0}: another program uses this port; stop it or choose another port")]
    Occupied(String),
    /// The system refuses to listen there.
    #[error("cannot listen on {address}; choose an address of this machine and a port above 1023")]
    Listen {
        /// The address as configured.
        address: String,
        /// What the system says.
        source: io::Error,
    },
    /// The transports could not be set up.
    #[error("cannot set up the network; if a bootstrap address holds a name, see /etc/resolv.conf")]
    Transport(#[source] io::Error),
}

/// Starts the network. When this returns, the node listens on all its addresses.
///
/// It runs until `cancel` is cancelled, then says farewell to its peers and ends within two
/// seconds; [`Handle::stopped`] tells when. The receiver yields what comes from the network and
/// ends with it.
pub async fn start(
    config: Config,
    cancel: CancellationToken,
) -> Result<(Handle, mpsc::Receiver<Incoming>), StartError> {
    let listen = parse(&config.listen, listens, StartError::ListenAddress)?;
    let bootstrap = parse(&config.bootstrap, dials, StartError::BootstrapAddress)?;
    let external = parse(&config.external_addresses, dials, StartError::ExternalAddress)?;
    for (address, text) in listen.iter().zip(&config.listen) {
        socket::probe(address).map_err(|source| refused(text, source))?;
    }

    let own = config.identity_seed.peer_id();
    let named = bootstrap.iter().flat_map(named).chain(config.trusted.iter().copied()).collect();
    let door = Door::new(named, &config.admission, config.block_for);
    let totals = Arc::default();
    let (tasks, abort) = (TaskTracker::new(), CancellationToken::new());
    let swarm = {
        let (tasks, abort) = (tasks.clone(), abort.clone());
        behaviour::swarm(&config, &door, &totals, bootstrap.iter().any(has_name), move |task| {
            tasks.spawn(abort.clone().run_until_cancelled_owned(task));
        })
        .map_err(StartError::Transport)?
    };
    let (commands, to_do) = mpsc::channel(COMMANDS_QUEUED);
    let (events, incoming) = mpsc::channel(INCOMING_QUEUED);
    let (tell, status) = watch::channel(Arc::default());
    let handle = Handle::new(commands.clone(), own, status);
    let mut service = Service::new(&config, swarm, door, bootstrap, (commands, to_do), events, (tell, totals));
    for address in external {
        service.swarm.add_external_address(address);
    }
    for (address, text) in listen.into_iter().zip(&config.listen) {
        tokio::time::timeout(LISTEN_TIMEOUT, service.listen(address))
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
            .map_err(|source| refused(text, source))?;
    }
    tokio::spawn(service.run(cancel, tasks, abort));
    Ok((handle, incoming))
}

fn parse(
    texts: &[String],
    accepts: fn(&Multiaddr) -> bool,
    error: fn(String) -> StartError,
) -> Result<Vec<Multiaddr>, StartError> {
    let read = |text: &String| text.parse().ok().filter(accepts).ok_or_else(|| error(text.clone()));
    texts.iter().map(read).collect()
}

/// Whether a node can listen there.
fn listens(address: &Multiaddr) -> bool {
    let parts: Vec<_> = address.iter().collect();
    matches!(parts[..], [Protocol::Ip4(_) | Protocol::Ip6(_), ref rest @ ..] if transports(rest))
}

/// Whether a node can dial that.
fn dials(address: &Multiaddr) -> bool {
    let mut parts: Vec<_> = address.iter().collect();
    parts.pop_if(|last| matches!(last, Protocol::P2p(_)));
    // Through a relay, which is named with its id.
    if let [direct @ .., Protocol::P2p(_), Protocol::P2pCircuit] = &parts[..] {
        parts.truncate(direct.len());
    }
    let Some((host, rest)) = parts.split_first() else { return false };
    let host = matches!(host, Protocol::Ip4(_) | Protocol::Ip6(_)) || is_name(host);
    host && transports(rest)
}

/// The peers that an address names: who is to answer there, and the relay on the way.
fn named(address: &Multiaddr) -> Vec<PeerId> {
    let peer = |part| if let Protocol::P2p(peer) = part { Some(PeerId(peer)) } else { None };
    address.iter().filter_map(peer).collect()
}

fn transports(parts: &[Protocol<'_>]) -> bool {
    matches!(parts, [Protocol::Tcp(_)] | [Protocol::Udp(_), Protocol::QuicV1])
}

fn has_name(address: &Multiaddr) -> bool {
    address.iter().any(|part| is_name(&part))
}

fn is_name(part: &Protocol<'_>) -> bool {
    matches!(part, Protocol::Dns(_) | Protocol::Dns4(_) | Protocol::Dns6(_))
}

fn refused(address: &str, source: io::Error) -> StartError {
    let address = address.to_owned();
    match source.kind() {
        io::ErrorKind::AddrInUse => StartError::Occupied(address),
        _ => StartError::Listen { address, source },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: &str = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";

    fn address(text: &str) -> Multiaddr {
        text.parse().unwrap()
    }

    #[test]
    fn addresses_to_listen_on() {
        for text in ["/ip4/0.0.0.0/tcp/1", "/ip6/::/udp/1/quic-v1"] {
            assert!(listens(&address(text)), "{text}");
        }
        for text in ["/dns4/a.example/tcp/1", "/ip4/1.2.3.4", "/ip4/1.2.3.4/udp/1", "/tcp/1"] {
            assert!(!listens(&address(text)), "{text}");
        }
    }

    #[test]
    fn addresses_to_dial() {
        for text in ["/ip4/1.2.3.4/tcp/1", "/dns4/a.example/udp/1/quic-v1"] {
            assert!(dials(&address(text)), "{text}");
            assert!(dials(&address(&format!("{text}/p2p/{PEER}"))), "{text}");
        }
        let relayed = address(&format!("/ip4/1.2.3.4/tcp/1/p2p/{PEER}/p2p-circuit/p2p/{PEER}"));
        assert!(dials(&relayed));
        assert_eq!(named(&relayed).len(), 2);
        for text in [
            format!("/p2p/{PEER}"),
            format!("/p2p/{PEER}/p2p-circuit"),
            "/ip4/1.2.3.4/udp/1/quic".into(),
            String::new(),
        ] {
            assert!(!dials(&address(&text)), "{text}");
        }
    }

    #[test]
    fn names_are_seen() {
        assert!(has_name(&address("/dns4/a.example/tcp/1")));
        assert!(!has_name(&address("/ip4/1.2.3.4/tcp/1")));
    }
}
