//! What lies between the nodes of a scene: wires that can be cut and mended while the nodes run.
//!
//! Where this process may make network namespaces, each node lives in one of its own, and cutting a wire is pulling a
//! plug: nothing is refused or reset, packets are just lost. Elsewhere a relay on the loopback stands between each two
//! nodes, and stops passing bytes on.

mod namespaces;
mod relay;

use crate::scene::Scene;
use namespaces::Namespaces;
pub use relay::Relay;
use std::collections::BTreeMap;

/// The wires of some nodes, each with each. They are taken away when this is dropped.
#[derive(Debug)]
pub struct Wires(Kind);

#[derive(Debug)]
enum Kind {
    Namespaces(Namespaces),
    /// By the two nodes that a relay joins; the second one dials the first.
    Relays(BTreeMap<(String, String), Relay>),
}

impl Wires {
    /// Joins these nodes of a scene, none of which may run yet. Says on the way what the wires are made of.
    pub async fn lay(scene: &mut Scene, names: &[&str]) -> Self {
        match Namespaces::make(names) {
            Ok(spaces) => {
                println!("the nodes live in network namespaces of their own");
                for (index, name) in names.iter().enumerate() {
                    let site = scene.site(name);
                    site.within(spaces.prefix(index));
                    site.set("http.listen", &format!("{}:7400", spaces.managed_at(index)));
                    site.set("p2p.listen", &tcp(&spaces.reached_at(index), p2p::DEFAULT_PORT));
                    let dialled: Vec<_> =
                        (0..index).map(|other| tcp(&spaces.reached_at(other), p2p::DEFAULT_PORT)).collect();
                    site.set("p2p.bootstrap", &dialled.join(","));
                }
                Self(Kind::Namespaces(spaces))
            }
            Err(reason) => {
                println!("relays on the loopback stand between the nodes, as there are no namespaces here: {reason}");
                Self(Kind::Relays(join(scene, names).await))
            }
        }
    }

    /// Cuts every wire between these nodes and the others.
    pub fn part(&self, side: &[&str]) {
        match &self.0 {
            Kind::Namespaces(spaces) => spaces.plug_apart(side),
            Kind::Relays(relays) => relays
                .iter()
                .filter(|((one, other), _)| side.contains(&one.as_str()) != side.contains(&other.as_str()))
                .for_each(|(_, relay)| relay.cut()),
        }
    }

    /// Mends all wires.
    pub fn heal(&self) {
        match &self.0 {
            Kind::Namespaces(spaces) => spaces.plug_together(),
            Kind::Relays(relays) => relays.values().for_each(Relay::mend),
        }
    }
}

/// A relay before each node for each one that dials it.
async fn join(scene: &mut Scene, names: &[&str]) -> BTreeMap<(String, String), Relay> {
    let mut relays = BTreeMap::new();
    for (index, name) in names.iter().enumerate() {
        let port = relay::free_port();
        scene.site(name).set("p2p.listen", &tcp("127.0.0.1", port));
        for other in &names[index + 1..] {
            relays.insert(((*name).to_owned(), (*other).to_owned()), Relay::to(&format!("127.0.0.1:{port}")).await);
        }
    }
    for name in names {
        let dialled = relays.iter().filter(|((_, dials), _)| dials == name);
        let dialled: Vec<_> = dialled.map(|(_, relay)| tcp("127.0.0.1", relay.port())).collect();
        scene.site(name).set("p2p.bootstrap", &dialled.join(","));
    }
    relays
}

fn tcp(host: &str, port: u16) -> String {
    format!("/ip4/{host}/tcp/{port}")
}
