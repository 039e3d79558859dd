//! A ledger on a real disk, and an author that keeps the keys of a cooperative and its neighbours.

use ed25519_dalek::{Signer, SigningKey};
use ledger::author::{
    AtRest, Author, AuthorError, Clock, Context, Done, EnrolActor, EnrolledKey, FinalAnchors, Keyring, KeyringError,
    Means, OfferLine, OfferTransfer, RegisterPlace, RegisterProduce, Salts, To,
};
use ledger::{Ledger, LedgerOptions};
use provenance::body::{Commodity, Custody, Moves, Role};
use provenance::counting::CountedLot;
use provenance::event::SignedEvent;
use provenance::id::{EventId, PublicKey, SubjectId};
use provenance::network::Network;
use provenance::payload::{After, Payload};
use provenance::value::{Coordinates, Currency, LangText, Money, Price, Quantity, Text, Unit};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use store::StoreOptions;
use tempfile::TempDir;

/// Everybody signs here; the founder is the default actor.
pub struct Village {
    pub author: Author,
    pub ledger: Ledger,
    pub keys: Arc<Keys>,
    pub clock: Arc<Hand>,
    pub anchored: Arc<Anchored>,
    pub founder: SubjectId,
    pub cooperative: SubjectId,
    pub farmer: SubjectId,
    pub trader: SubjectId,
    pub grocer: SubjectId,
    pub farm: SubjectId,
    _folder: TempDir,
}

#[derive(Default)]
pub struct Keys {
    keys: Mutex<HashMap<PublicKey, SigningKey>>,
    made: AtomicU8,
}

/// A clock that is set by hand.
pub struct Hand(pub AtomicU64);

struct Counter(AtomicU64);

/// Not secret, but like a cipher it opens nothing that was changed or moved.
struct Bound;

impl Keys {
    pub fn add(&self, seed: u8) -> PublicKey {
        let key = SigningKey::from_bytes(&[seed; 32]);
        let public = PublicKey::from_bytes(key.verifying_key().to_bytes());
        self.keys.lock().unwrap().insert(public, key);
        public
    }

    pub fn forget(&self, key: &PublicKey) -> Option<SigningKey> {
        self.keys.lock().unwrap().remove(key)
    }

    pub fn count(&self) -> usize {
        self.keys.lock().unwrap().len()
    }

    fn secret(&self, key: &PublicKey) -> Result<SigningKey, KeyringError> {
        self.keys.lock().unwrap().get(key).cloned().ok_or(KeyringError::NotHeld(*key))
    }
}

impl Keyring for Keys {
    fn holds(&self, key: &PublicKey) -> bool {
        self.keys.lock().unwrap().contains_key(key)
    }

    fn sign(&self, key: &PublicKey, payload: Payload) -> Result<SignedEvent, KeyringError> {
        Ok(SignedEvent::sign(payload, &self.secret(key)?)?)
    }

    fn countersign(&self, key: &PublicKey, message: &[u8]) -> Result<[u8; 64], KeyringError> {
        Ok(self.secret(key)?.sign(message).to_bytes())
    }

    fn create_key(&self, _: &str) -> Result<PublicKey, KeyringError> {
        Ok(self.add(100 + self.made.fetch_add(1, Ordering::Relaxed)))
    }
}

impl Clock for Hand {
    fn now_ms(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

/// The newest final anchor, as a test sets it.
#[derive(Default)]
pub struct Anchored(pub Mutex<Option<After>>);

impl FinalAnchors for Anchored {
    fn newest(&self) -> Option<After> {
        *self.0.lock().unwrap()
    }
}

impl Salts for Counter {
    fn salt(&self) -> [u8; 16] {
        let mut salt = [7; 16];
        salt[..8].copy_from_slice(&self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        salt
    }
}

impl AtRest for Bound {
    fn seal(&self, context: &[u8], plain: &[u8]) -> Vec<u8> {
        context.iter().chain(plain).map(|byte| !byte).collect()
    }

    fn open(&self, context: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let plain: Vec<u8> = sealed.iter().map(|byte| !byte).collect();
        plain.strip_prefix(context).map(<[u8]>::to_vec)
    }
}

impl Village {
    /// A founder enrols a cooperative and two buyers, the cooperative a farmer, who has a farm.
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = Arc::new(Keys::default());
        let founder_key = keys.add(1);
        let network = Network::new(text("orchards"), [9; 16], vec![founder_key]).unwrap();
        let founder = network.id().founder(0);
        let store = StoreOptions { cache_bytes: 1 << 20, write_buffer_bytes: 4 << 20, ..StoreOptions::default() };
        let ledger = Ledger::open(folder.path(), network, LedgerOptions { store, ..LedgerOptions::default() }).unwrap();
        let clock = Arc::new(Hand(AtomicU64::new(1_790_000_000_000)));
        let anchored = Arc::new(Anchored::default());
        let means = Means {
            keyring: keys.clone(),
            clock: clock.clone(),
            salts: Arc::new(Counter(AtomicU64::new(0))),
            anchors: anchored.clone(),
            at_rest: Arc::new(Bound),
        };
        let author = Author::new(ledger.clone(), means, founder);
        let created = |done: Result<Done, AuthorError>| done.unwrap().id.subject(0);
        let mut cooperative = enrolment("Hill Cooperative", &[Role::Farmer, Role::Cooperative]);
        cooperative.may_give = vec![Role::Trader, Role::Farmer];
        let cooperative = created(author.enrol_actor(by(founder), cooperative).await);
        let farmer = created(author.enrol_actor(by(cooperative), enrolment("Anna", &[Role::Farmer])).await);
        let trader = created(author.enrol_actor(by(founder), enrolment("Trader", &[Role::Trader])).await);
        let grocer = created(author.enrol_actor(by(founder), enrolment("Grocer", &[Role::Retailer])).await);
        let farm = created(author.register_place(by(farmer), farm()).await);
        Self {
            author,
            ledger,
            keys,
            clock,
            anchored,
            founder,
            cooperative,
            farmer,
            trader,
            grocer,
            farm,
            _folder: folder,
        }
    }

    /// A lot of the farmer.
    pub async fn lot(&self, kilograms: &str) -> SubjectId {
        let done = self.author.register_produce(by(self.farmer), apples(kilograms, &[self.farm])).await;
        done.unwrap().id.subject(0)
    }

    /// A part of a lot, or all of it, is offered by its holder.
    pub async fn offer(&self, from: SubjectId, lot: SubjectId, quantity: Option<&str>, to: SubjectId) -> Done {
        self.author.offer_transfer(by(from), offer(lot, quantity, To::Actor(to))).await.unwrap()
    }

    pub fn counted(&self, lot: SubjectId) -> CountedLot {
        self.ledger.reader().lot(&lot).unwrap().unwrap()
    }

    pub fn balance(&self, lot: SubjectId) -> String {
        self.counted(lot).state.balance.to_string()
    }

    pub fn holder(&self, lot: SubjectId) -> SubjectId {
        self.counted(lot).state.holder
    }

    pub fn key_of(&self, actor: SubjectId) -> PublicKey {
        let (enrolment, _) = self.ledger.reader().origin(&actor).unwrap().unwrap();
        match &self.event(enrolment).payload().body {
            provenance::body::Body::ActorEnrolled(body) => body.key,
            other => panic!("{other:?}"),
        }
    }

    pub fn event(&self, id: EventId) -> SignedEvent {
        self.ledger.reader().stored(&id).unwrap().unwrap().judged.event.clone()
    }

    /// How many events the key of an actor signed, and over how many heads they are spread.
    pub fn journal(&self, actor: SubjectId) -> (usize, u64) {
        let heads = self.ledger.reader().journal_heads(&self.key_of(actor)).unwrap();
        (heads.len(), heads.iter().map(|head| head.height).max().unwrap_or(0))
    }
}

pub fn by(actor: SubjectId) -> Context {
    Context { actor: Some(actor), ..Context::default() }
}

pub fn enrolment(name: &str, roles: &[Role]) -> EnrolActor {
    EnrolActor {
        key: EnrolledKey::New,
        custody: Custody::Kept,
        roles: roles.to_vec(),
        may_give: Vec::new(),
        display_name: text(name),
        personal_name: None,
        gln: None,
        gs1_prefixes: Vec::new(),
        node: None,
    }
}

pub fn farm() -> RegisterPlace {
    RegisterPlace {
        place_type: text("farm"),
        name: LangText::single("en", "Upper Orchard").unwrap(),
        gln: None,
        point: None,
        exact_point: Some(Coordinates::from_degrees(46.123_456_7, 11.765_432_1).unwrap()),
        outline: None,
        area_m2: Some(12_000),
        parent: None,
        country: Some(text("IT")),
    }
}

pub fn apples(kilograms: &str, places: &[SubjectId]) -> RegisterProduce {
    RegisterProduce {
        commodity: Commodity { scheme: text("HS"), code: text("0808.10") },
        name: LangText::single("en", "Apples").unwrap(),
        variety: Some(text("Gala")),
        places: places.to_vec(),
        harvested: None,
        quantity: kg(kilograms),
        grade: None,
        codes: None,
        claims: Vec::new(),
        harvester: None,
        price: None,
        seal_price: false,
    }
}

pub fn offer(lot: SubjectId, quantity: Option<&str>, to: To) -> OfferTransfer {
    OfferTransfer {
        lines: vec![OfferLine { lot, quantity: quantity.map(kg) }],
        to,
        moves: Moves::Both,
        carrier: None,
        from_place: None,
        to_place: None,
        temperature: None,
        price: None,
        seal_price: false,
        expires: None,
        returns: None,
    }
}

pub fn text<const MAX: usize>(text: &str) -> Text<MAX> {
    Text::new(text).unwrap()
}

pub fn kg(decimal: &str) -> Quantity {
    Quantity::parse(decimal, Unit::new("KGM").unwrap(), None).unwrap()
}

pub fn euro_cents(amount: i128) -> Price {
    Price { money: Money::new(amount, Currency::new("EUR").unwrap()).unwrap(), per: Some(Unit::new("KGM").unwrap()) }
}
