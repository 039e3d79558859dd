//! Nodes in network namespaces (`ip-netns(8)`), joined by two switches.
//!
//! Each node has two interfaces: `mgmt`, over which the test asks it, and `peer`, whose other end is plugged into one
//! of two bridges in a namespace of their own. Nodes on different bridges do not hear each other.

use std::process::Command;

/// Names and addresses are numbered below this: the third byte of an address.
const SCENES_AT_ONCE: u8 = 250;

/// Everything that belongs to one scene. It is removed when this is dropped.
#[derive(Debug)]
pub(super) struct Namespaces {
    /// Tells this scene's names and addresses from those of tests that run at the same time.
    scene: u8,
    names: Vec<String>,
}

impl Namespaces {
    /// Makes a namespace for each node, and plugs all into one switch; or says why that is not possible here.
    pub(super) fn make(names: &[&str]) -> Result<Self, String> {
        remove_abandoned();
        let scene = take_number()?;
        // From here on a failure removes what was made.
        let made = Self { scene, names: names.iter().map(|name| (*name).to_owned()).collect() };
        let switch = switch(scene);
        for bridge in ["left", "right"] {
            ip(&format!("-n {switch} link add {bridge} type bridge forward_delay 0"))?;
            // The alias names the process, so that what a killed test left is found.
            ip(&format!("-n {switch} link set {bridge} up alias {}", std::process::id()))?;
        }
        for index in 0..names.len() {
            made.wire(index, &switch)?;
        }
        made.plug_together();
        Ok(made)
    }

    fn wire(&self, index: usize, switch: &str) -> Result<(), String> {
        let space = self.space(index);
        let (here, there) = (format!("fw{}m{index}", self.scene), format!("p{index}"));
        ip(&format!("netns add {space}"))?;
        ip(&format!("-n {space} link set lo up"))?;
        ip(&format!("link add {here} type veth peer name mgmt netns {space}"))?;
        ip(&format!("addr add {}/30 dev {here}", self.managed_from(index)))?;
        ip(&format!("link set {here} up"))?;
        ip(&format!("-n {space} addr add {}/30 dev mgmt", self.managed_at(index)))?;
        ip(&format!("-n {space} link set mgmt up"))?;
        ip(&format!("-n {switch} link add {there} type veth peer name peer netns {space}"))?;
        ip(&format!("-n {switch} link set {there} up"))?;
        ip(&format!("-n {space} addr add {}/24 dev peer", self.reached_at(index)))?;
        ip(&format!("-n {space} link set peer up"))?;
        Ok(())
    }

    /// What goes before a command that is to run where the node lives.
    pub(super) fn prefix(&self, index: usize) -> Vec<String> {
        ["ip", "netns", "exec", &self.space(index)].map(str::to_owned).to_vec()
    }

    /// Where the test asks a node. 198.18.0.0/15 is set aside for tests (RFC 2544).
    pub(super) fn managed_at(&self, index: usize) -> String {
        format!("198.18.{}.{}", self.scene, 4 * index + 2)
    }

    fn managed_from(&self, index: usize) -> String {
        format!("198.18.{}.{}", self.scene, 4 * index + 1)
    }

    /// Where other nodes dial a node.
    pub(super) fn reached_at(&self, index: usize) -> String {
        format!("198.19.{}.{}", self.scene, index + 1)
    }

    /// Plugs these nodes into the right switch, and the others into the left one.
    pub(super) fn plug_apart(&self, side: &[&str]) {
        for (index, name) in self.names.iter().enumerate() {
            let bridge = if side.contains(&name.as_str()) { "right" } else { "left" };
            let plugged = ip(&format!("-n {} link set p{index} master {bridge}", switch(self.scene)));
            plugged.expect("an interface that was made can be plugged in");
        }
    }

    /// Plugs all nodes into one switch.
    pub(super) fn plug_together(&self) {
        self.plug_apart(&[]);
    }

    fn space(&self, index: usize) -> String {
        format!("furrow-{}-{index}", self.scene)
    }
}

impl Drop for Namespaces {
    fn drop(&mut self) {
        // Interfaces go with their namespaces. The switch is last, because it keeps the number.
        for index in 0..self.names.len() {
            let _ = ip(&format!("netns del {}", self.space(index)));
            let _ = ip(&format!("link del fw{}m{index}", self.scene));
        }
        let _ = ip(&format!("netns del {}", switch(self.scene)));
    }
}

fn switch(scene: u8) -> String {
    format!("furrow-{scene}-switch")
}

/// Takes the first free number. Two tests cannot both make the namespace of its switches.
fn take_number() -> Result<u8, String> {
    let mut refused = String::new();
    for scene in 0..SCENES_AT_ONCE {
        match ip(&format!("netns add {}", switch(scene))) {
            Ok(_) => return Ok(scene),
            Err(error) => refused = error,
        }
        if !spaces().contains(&switch(scene)) {
            break;
        }
    }
    Err(refused)
}

fn spaces() -> Vec<String> {
    let listed = std::fs::read_dir("/run/netns").into_iter().flatten().flatten();
    listed.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// Removes what belongs to processes that are gone.
fn remove_abandoned() {
    for space in spaces() {
        let Some(owned) = space.strip_suffix("switch").filter(|owned| owned.starts_with("furrow-")) else { continue };
        let Ok(shown) = ip(&format!("-n {space} link show left")) else { continue };
        let process = shown.lines().find_map(|line| line.trim().strip_prefix("alias "));
        if process.is_none_or(|process| std::path::Path::new("/proc").join(process).exists()) {
            continue;
        }
        for space in spaces().into_iter().filter(|space| space.starts_with(owned)) {
            let _ = ip(&format!("netns del {space}"));
        }
    }
}

fn ip(arguments: &str) -> Result<String, String> {
    let ended = Command::new("ip").args(arguments.split(' ')).output();
    let ended = ended.map_err(|error| format!("the program 'ip' does not run: {error}"))?;
    if ended.status.success() {
        return Ok(String::from_utf8_lossy(&ended.stdout).into_owned());
    }
    Err(format!("'ip {arguments}' says: {}", String::from_utf8_lossy(&ended.stderr).trim()))
}
