//! Whether a listening socket is free: asked before it is opened and after it was closed.

use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;
use std::io;
use std::net::{IpAddr, TcpListener, UdpSocket};
use std::time::Duration;

/// How often to look whether a socket is closed.
const LOOK_INTERVAL: Duration = Duration::from_millis(10);
/// How long to look: QUIC keeps a socket for three round trips after the farewell.
const LOOK_FOR: Duration = Duration::from_millis(500);

/// Opens and closes the socket once. libp2p shares TCP ports with whoever else shares them, such as
/// another node of the same user, so that it alone would not notice an occupied port.
pub(crate) fn probe(address: &Multiaddr) -> io::Result<()> {
    if address.iter().any(|part| part == Protocol::P2pCircuit) {
        // A place at a relay is no socket of this machine.
        return Ok(());
    }
    let mut parts = address.iter();
    let ip: IpAddr = match parts.next() {
        Some(Protocol::Ip4(ip)) => ip.into(),
        // The standard library opens this one for IPv4 as well, which libp2p does not.
        Some(Protocol::Ip6(ip)) if ip.is_unspecified() => return Ok(()),
        Some(Protocol::Ip6(ip)) => ip.into(),
        _ => return Ok(()),
    };
    match parts.next() {
        Some(Protocol::Tcp(port)) => TcpListener::bind((ip, port)).map(drop),
        Some(Protocol::Udp(port)) => UdpSocket::bind((ip, port)).map(drop),
        _ => Ok(()),
    }
}

/// Returns when these sockets are closed, or after a while. The QUIC library closes its sockets in
/// a task of its own, some time after the last connection.
pub(crate) async fn released(sockets: &[Multiaddr]) {
    let occupied = |address| probe(address).is_err_and(|error| error.kind() == io::ErrorKind::AddrInUse);
    let closed = async {
        while sockets.iter().any(occupied) {
            tokio::time::sleep(LOOK_INTERVAL).await;
        }
    };
    if tokio::time::timeout(LOOK_FOR, closed).await.is_err() {
        tracing::debug!("a socket outlives the network");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tcp(port: u16) -> Multiaddr {
        format!("/ip4/127.0.0.1/tcp/{port}").parse().unwrap()
    }

    #[tokio::test]
    async fn an_open_socket_is_noticed_until_it_is_closed() {
        let open = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = tcp(open.local_addr().unwrap().port());
        assert_eq!(probe(&address).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        let wait = tokio::spawn(async move { released(&[address]).await });
        drop(open);
        wait.await.unwrap();
    }

    #[test]
    fn any_port_and_other_transports_are_free() {
        assert!(probe(&tcp(0)).is_ok());
        assert!(probe(&"/memory/1".parse().unwrap()).is_ok());
    }
}
