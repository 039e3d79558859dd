//! How bytes travel: TCP with Noise and Yamux, QUIC, and either of them through a relay.

use crate::allowance::Rate;
use crate::meter::{Metered, Totals};
use libp2p::core::muxing::StreamMuxerBox;
use libp2p::core::transport::Boxed;
use libp2p::core::upgrade::Version;
use libp2p::identity::Keypair;
use libp2p::{PeerId, Transport, dns, noise, quic, relay, tcp, yamux};
use std::io;
use std::sync::Arc;

/// A transport to authenticated peers.
pub(crate) type Secured = Boxed<(PeerId, StreamMuxerBox)>;

/// All transports together. The system's resolver is asked only if `names` are to be dialled, for its
/// configuration may be missing. `relayed` is the half of a relay's client that carries bytes. From
/// each connection bytes are read at this rate, and all are counted.
pub(crate) fn transport(
    keypair: &Keypair,
    names: bool,
    rate: Rate,
    totals: &Arc<Totals>,
    relayed: Option<relay::client::Transport>,
) -> io::Result<Secured> {
    let noise = || noise::Config::new(keypair).map_err(io::Error::other);
    let tcp = tcp::tokio::Transport::new(tcp::Config::new().nodelay(true))
        .upgrade(Version::V1Lazy)
        .authenticate(noise()?)
        .multiplex(yamux::Config::default());
    let quic = quic::tokio::Transport::new(quic::Config::new(keypair));
    let direct = quic.or_transport(tcp).map(|either, _| match either {
        futures::future::Either::Left((peer, muxer)) => (peer, StreamMuxerBox::new(muxer)),
        futures::future::Either::Right((peer, muxer)) => (peer, StreamMuxerBox::new(muxer)),
    });
    let direct = if names { dns::tokio::Transport::system(direct)?.boxed() } else { direct.boxed() };
    let totals = totals.clone();
    let metered = move |(peer, muxer)| (peer, StreamMuxerBox::new(Metered::new(muxer, rate, totals.clone())));
    let Some(relayed) = relayed else { return Ok(direct.map(move |secured, _| metered(secured)).boxed()) };
    let relayed = relayed
        .upgrade(Version::V1Lazy)
        .authenticate(noise()?)
        .multiplex(yamux::Config::default())
        .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)));
    // The relay's transport first: it alone understands addresses through a relay.
    Ok(relayed.or_transport(direct).map(move |either, _| metered(either.into_inner())).boxed())
}
