//! Opening the parts of a node in their order, and ending them together.

use super::anchor_book::Book;
use super::anchor_view::{AnchorView, Anchored, now_ms};
use super::health::Health;
use super::keyring::means;
use super::log_key::LogKey;
use super::peer_view::{Connected, PeerView, watch_connected};
use super::{roll, snapshots};
use crate::config::{Admission, ConfigError, Configuration};
use crate::data_dir::DataDir;
use crate::keystore::{ANCHORING, COOPERATIVE, KeystoreError, LOG, OPENINGS, PEER, Secret};
use crate::recovery::{self, Progress, Recovery, SharedKeystore};
use crate::sync;
use anchoring::{AnchorService, AnchorStatus};
use api::{ApiState, BaseUrl, NodeIdentity, Token};
use futures::FutureExt;
use futures::future::BoxFuture;
use ledger::author::Author;
use ledger::trace::LineageFollower;
use ledger::view::{ViewFollower, Views};
use ledger::{Follower, ForkFollower, Ledger, LedgerOptions, LogSigner};
use provenance::id::{PublicKey, SubjectId};
use provenance::network::Network;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use store::StoreOptions;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// All parts together must end within five seconds; the API's open requests get three of them.
const FAREWELL: Duration = Duration::from_millis(4_500);

/// No actor has this id, so a command that falls back to it is refused as signed by an unknown actor.
const NOBODY: SubjectId = SubjectId::from_bytes([0; 32]);

/// Why a node cannot start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    /// The port.
    #[error("cannot listen on {address}; stop the other program that uses this port, or change listen under [http]")]
    Port {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The token.
    #[error(
        "cannot use the token file {path}: {reason}; remove it, and make a new one with 'openssl rand -hex 32 > {path}'"
    )]
    Token {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The public address.
    #[error("http.public_url is not usable")]
    PublicUrl(#[from] api::BaseUrlError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] ledger::OpenError),
    /// The enrolled nodes.
    #[error("the enrolled nodes cannot be read from the store")]
    Roll(#[from] store::StoreError),
    /// The network.
    #[error(transparent)]
    Network(#[from] p2p::StartError),
    /// Anchoring.
    #[error("anchoring cannot begin")]
    Anchoring(#[from] anchoring::OpenError),
    /// A setting.
    #[error(transparent)]
    Configuration(#[from] ConfigError),
    /// A key.
    #[error(transparent)]
    Keystore(#[from] KeystoreError),
}

/// A node that runs.
pub(crate) struct Ready {
    /// Where the interface listens.
    pub(crate) http: SocketAddr,
    /// The addresses that other nodes can dial.
    pub(crate) peer_addresses: Vec<String>,
    /// Who it is to its peers.
    pub(crate) peer_id: String,
    /// What to know of the start: things that are not errors.
    pub(crate) notes: Vec<String>,
    /// Cancelled when the log of a restored node is complete; then it is to be started again. Never on others.
    pub(crate) recovered: CancellationToken,
    author: Author,
    ledger: Ledger,
    network: p2p::Handle,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Ready {
    /// Ends when a part that a node cannot be without has ended by itself.
    pub(crate) async fn broken(&self) {
        self.stop.cancelled().await;
    }

    /// Stops all parts and waits for them; false if one did not end in time.
    pub(crate) async fn stop(self) -> bool {
        self.stop.cancel();
        self.tasks.close();
        let ended = async {
            self.tasks.wait().await;
            self.network.stopped().await;
            self.author.close().await;
            // Last: the others may still be writing.
            self.ledger.close().await;
        };
        tokio::time::timeout(FAREWELL, ended).await.is_ok()
    }
}

/// Opens everything. On an error, what was opened before is closed again.
pub(crate) async fn start(
    folder: &DataDir,
    configuration: &Configuration,
    network: Network,
    keystore: SharedKeystore,
) -> Result<Ready, StartError> {
    let token = token(folder)?;
    let base_url = configuration.public_url().map(BaseUrl::parse).transpose()?;
    let address = configuration.http.listen;
    let port = |source| StartError::Port { address, source };
    let listener = TcpListener::bind(address).await.map_err(port)?;
    let http = listener.local_addr().map_err(port)?;

    let Secrets { log: log_key, cooperative, identity, anchoring: anchoring_key, openings: openings_key } =
        Secrets::of(&keystore, &network)?;
    let log = log_key.key();
    let own = identity.peer_id();
    let peer_id = own.to_string();
    snapshots::remove_all(folder);

    let ledger = open_ledger(folder, configuration, &network, Arc::new(log_key), &keystore).await?;
    let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
    let opened = open(&ledger, configuration, &network, identity, &anchoring_key, &stop).await;
    let Opened { handle, incoming, anchored, anchor_status, anchor_service, peer_addresses, roll } = match opened {
        Ok(opened) => opened,
        Err(error) => {
            stop.cancel();
            ledger.close().await;
            return Err(error);
        }
    };

    let actor = actor_of(&ledger, &cooperative);
    let means = means(keystore.clone(), &openings_key, Anchored(anchor_status.clone()));
    let author = Author::new(ledger.clone(), means, actor.unwrap_or(NOBODY));
    let (recovered, progress) = (CancellationToken::new(), Progress::default());
    let spawn = |task: BoxFuture<'static, ()>| drop(tasks.spawn(stop.clone().run_until_cancelled_owned(task)));
    if let Some(roll) = roll {
        // Also while the log is recovered: the peers that are to be asked must be let in.
        spawn(roll::run(ledger.clone(), roll, own, configuration.p2p.open_reading).boxed());
    }
    let witnesses = configuration.recovery.witnesses;
    let (peers, sync): (Arc<dyn api::PeerView>, Option<sync::Sync>) = if ledger.restored().is_some() {
        let new_log_key_after = Some(configuration.recovery.new_log_key_after_s).filter(|after| *after > 0);
        let recovery = Recovery {
            ledger: ledger.clone(),
            network: handle.clone(),
            keystore,
            witnesses,
            anchored,
            new_log_key_after: new_log_key_after.map(Duration::from_secs),
            progress: progress.clone(),
        };
        spawn(recovery.run(incoming, recovered.clone()).boxed());
        let (list, connected) = watch::channel(Vec::new());
        spawn(watch_connected(handle.clone(), list).boxed());
        (Arc::new(Connected { list: connected, network: handle.clone() }), None)
    } else {
        let sync = sync::start(author.clone(), handle.clone(), incoming, log, anchor_status.clone(), &tasks, &stop);
        spawn(super::kept_versions::run(ledger.clone(), anchor_status.clone()).boxed());
        spawn(recovery::confirm(ledger.clone(), handle.clone(), witnesses).boxed());
        spawn(recovery::announce(author.clone(), peer_id.clone(), log).boxed());
        if let Some(service) = anchor_service {
            tasks.spawn(service.run(stop.clone()));
        }
        (Arc::new(PeerView { sync: sync.clone(), network: handle.clone() }), Some(sync))
    };
    let health = Health::new(ledger.clone(), progress);
    spawn(health.clone().watch(folder.path().to_owned(), handle.clone(), sync).boxed());
    let notes = notes(configuration, actor.is_some());
    let state = ApiState {
        ledger: ledger.clone(),
        author: author.clone(),
        node: Arc::new(NodeIdentity {
            name: configuration.node.name.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            actor: actor.unwrap_or(NOBODY),
            peer_id: Some(peer_id.clone()),
            log_key: Some(log),
        }),
        token: Arc::new(token),
        base_url,
        anchoring: Arc::new(AnchorView::new(ledger.clone(), anchor_status)),
        peers,
        snapshots: Arc::new(snapshots::Snapshots::new(folder, ledger.clone())),
        health: Arc::new(health),
    };
    let ended = stop.clone();
    tasks.spawn(async move {
        if let Err(error) = api::serve(listener, state, ended.clone()).await {
            tracing::error!(%error, "the interface has ended");
        }
        // A node without its interface is of no use: better that it is restarted.
        ended.cancel();
    });
    Ok(Ready { http, peer_addresses, peer_id, notes, recovered, author, ledger, network: handle, tasks, stop })
}

/// Opens the ledger; where its operator has given a restored log a new key, that is settled before anything else.
async fn open_ledger(
    folder: &DataDir,
    configuration: &Configuration,
    network: &Network,
    log_key: Arc<LogKey>,
    keystore: &SharedKeystore,
) -> Result<Ledger, StartError> {
    let open = || {
        let options = LedgerOptions {
            store: store_options(configuration),
            log_signer: Some(log_key.clone()),
            followers: followers(network),
            witnessed_entries: configuration.recovery.keep_entries,
            ..LedgerOptions::default()
        };
        Ledger::open(&folder.store(), network.clone(), options)
    };
    let ledger = open()?;
    if ledger.restored().is_none_or(|restored| restored.log == log_key.key()) {
        return Ok(ledger);
    }
    let settled = recovery::settle(&ledger, keystore, true);
    ledger.close().await;
    drop(ledger);
    settled.map_err(ledger::OpenError::from)?;
    Ok(open()?)
}

/// What a node makes of its log, beside what counts and the state map.
pub(crate) fn followers(network: &Network) -> Vec<Arc<dyn Follower>> {
    vec![Arc::new(ViewFollower::new(network.clone())), Arc::new(LineageFollower), Arc::new(ForkFollower)]
}

/// What an operator should know although it is no error.
fn notes(configuration: &Configuration, is_enrolled: bool) -> Vec<String> {
    let mut notes = Vec::new();
    if !is_enrolled {
        let note = "the key 'cooperative' is enrolled nowhere yet: this node replicates, and can write after that and a restart";
        notes.push(note.to_owned());
    }
    if configuration.p2p.admission == Admission::Enrolled {
        notes.extend(configuration.p2p.unnamed_bootstrap().map(|address| {
            format!("'{address}' names no peer id, so who answers there is trusted only once it is an enrolled node")
        }));
    }
    if configuration.anchoring.rpc_urls.is_empty() {
        notes.push("no Ethereum endpoint is configured, so nothing is anchored".to_owned());
    }
    notes
}

/// What the parts of a node need of the keystore.
struct Secrets {
    log: LogKey,
    cooperative: PublicKey,
    identity: p2p::IdentitySeed,
    anchoring: Secret,
    openings: Secret,
}

impl Secrets {
    fn of(keystore: &SharedKeystore, network: &Network) -> Result<Self, KeystoreError> {
        let keystore = keystore.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Self {
            log: LogKey::new(&network.id(), keystore.get(LOG)?.signing_key()),
            cooperative: keystore.get(COOPERATIVE)?.public_key(),
            identity: keystore.get(PEER)?.identity_seed(),
            anchoring: keystore.get(ANCHORING)?.clone(),
            openings: keystore.get(OPENINGS)?.clone(),
        })
    }
}

/// What is opened between the ledger and the tasks.
struct Opened {
    handle: p2p::Handle,
    incoming: tokio::sync::mpsc::Receiver<p2p::Incoming>,
    /// Where a restored log finds what of it was anchored.
    anchored: Option<recovery::Anchored>,
    anchor_status: watch::Receiver<AnchorStatus>,
    anchor_service: Option<AnchorService>,
    peer_addresses: Vec<String>,
    /// Takes the roll of enrolled nodes, if only they are let in.
    roll: Option<watch::Sender<Arc<p2p::Roll>>>,
}

async fn open(
    ledger: &Ledger,
    configuration: &Configuration,
    network: &Network,
    identity: p2p::IdentitySeed,
    anchoring_key: &Secret,
    stop: &CancellationToken,
) -> Result<Opened, StartError> {
    let (anchored, anchor_service, anchor_status) = if let Some(config) = configuration.anchor_config()? {
        let anchored = recovery::Anchored::new(&config, anchoring_key.bytes()).map_err(anchoring::OpenError::from)?;
        let (book, key) = (Arc::new(Book(ledger.clone())), anchoring_key.clone());
        let opened =
            tokio::task::spawn_blocking(move || AnchorService::open(config, book, key.bytes(), Arc::new(now_ms)));
        let service = opened.await.expect("opening the book does not panic")?;
        let status = service.status();
        (Some(anchored), Some(service), status)
    } else {
        let reason = "no Ethereum endpoint is configured: name one in rpc_urls under [anchoring]";
        (None, None, watch::channel(AnchorStatus::disabled(reason)).1)
    };
    let section = &configuration.p2p;
    let (roll, admission) = match section.admission {
        Admission::Anyone => (None, p2p::Admission::Anyone),
        Admission::Enrolled => {
            let (reader, own, open_reading) = (ledger.clone(), identity.peer_id(), section.open_reading);
            let read = tokio::task::spawn_blocking(move || roll::read(&reader, own, open_reading));
            let (roll, told) = watch::channel(Arc::new(read.await.expect("reading does not panic")?));
            (Some(roll), p2p::Admission::Enrolled(told))
        }
    };
    let config = p2p::Config {
        listen: section.listen.clone(),
        bootstrap: section.bootstrap.clone(),
        mdns: section.mdns,
        max_peers: section.max_peers,
        request_timeout: section.request_timeout(),
        block_for: section.block_for(),
        admission,
        trusted: section.trusted_peers()?,
        max_connections_per_address: section.max_connections_per_address,
        max_memory_bytes: section.max_memory_mib.saturating_mul(1 << 20),
        upload_bytes_per_second: section.max_upload_mib_s.saturating_mul(1 << 20),
        download_bytes_per_second: section.max_download_mib_s.saturating_mul(1 << 20),
        discovery: section.discovery,
        autonat: section.autonat,
        relay_client: section.relay_client,
        relay_server: section.relay_server,
        external_addresses: section.external_addresses.clone(),
        ..p2p::Config::new(identity, network.id())
    };
    let (handle, incoming) = p2p::start(config, stop.clone()).await?;
    let peer_addresses = handle.listen_addresses().await.unwrap_or_default();
    Ok(Opened { handle, incoming, anchored, anchor_status, anchor_service, peer_addresses, roll })
}

fn token(folder: &DataDir) -> Result<Token, StartError> {
    let path = folder.token();
    let wrong = |reason: String| StartError::Token { path: path.clone(), reason };
    let text = std::fs::read_to_string(&path).map_err(|error| wrong(error.to_string()))?;
    Token::new(text.trim()).map_err(|error| wrong(error.to_string()))
}

fn store_options(configuration: &Configuration) -> StoreOptions {
    let mib = |mib: usize| mib.saturating_mul(1 << 20);
    StoreOptions {
        create: true,
        cache_bytes: mib(configuration.store.cache_mib),
        write_buffer_bytes: mib(configuration.store.write_buffer_mib),
    }
}

/// The actor that signs where a command names nobody else: the founder or enrolled actor with this key.
fn actor_of(ledger: &Ledger, key: &PublicKey) -> Option<SubjectId> {
    let enrolled = || Views::new(ledger.reader().clone()).actors_by_key(key).ok()?.first().map(|actor| actor.id);
    ledger.network().founder(key).or_else(enrolled)
}
