//! CBOR as a tree whose every part can be exchanged, also for what no encoder would write.

/// An item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tree {
    Unsigned(u64),
    Negative(u64),
    Bytes(Vec<u8>),
    Text(Vec<u8>),
    Array(Vec<Tree>),
    /// Keys and values by turns.
    Map(Vec<Tree>),
    Tag(u64, Box<Tree>),
    Simple(u8),
    /// Bytes as they are.
    Raw(Vec<u8>),
}

impl Tree {
    /// Reads one well-formed item that fills the bytes.
    pub fn parse(bytes: &[u8]) -> Self {
        let mut at = 0;
        let tree = Self::read(bytes, &mut at);
        assert_eq!(at, bytes.len());
        tree
    }

    fn read(bytes: &[u8], at: &mut usize) -> Self {
        let first = bytes[*at];
        *at += 1;
        let length = match first & 0x1f {
            24 => 1,
            25 => 2,
            26 => 4,
            27 => 8,
            _ => 0,
        };
        let mut argument = u64::from(first & 0x1f);
        if length > 0 {
            argument = bytes[*at..*at + length].iter().fold(0, |value, byte| (value << 8) | u64::from(*byte));
            *at += length;
        }
        let size = usize::try_from(argument).unwrap_or(usize::MAX);
        let take = |at: &mut usize| {
            *at += size;
            bytes[*at - size..*at].to_vec()
        };
        match first >> 5 {
            0 => Self::Unsigned(argument),
            1 => Self::Negative(argument),
            2 => Self::Bytes(take(at)),
            3 => Self::Text(take(at)),
            4 => Self::Array((0..size).map(|_| Self::read(bytes, at)).collect()),
            5 => Self::Map((0..2 * size).map(|_| Self::read(bytes, at)).collect()),
            6 => Self::Tag(argument, Box::new(Self::read(bytes, at))),
            _ => Self::Simple(first & 0x1f),
        }
    }

    pub fn to_vec(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.write(&mut bytes);
        bytes
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.head());
        match self {
            Self::Bytes(bytes) | Self::Text(bytes) => out.extend(bytes),
            Self::Array(items) | Self::Map(items) => items.iter().for_each(|item| item.write(out)),
            Self::Tag(_, item) => item.write(out),
            _ => {}
        }
    }

    /// What stands before the content; for raw bytes they themselves.
    fn head(&self) -> Vec<u8> {
        match self {
            Self::Unsigned(value) => head(0, *value),
            Self::Negative(value) => head(1, *value),
            Self::Bytes(bytes) => head(2, bytes.len() as u64),
            Self::Text(bytes) => head(3, bytes.len() as u64),
            Self::Array(items) => head(4, items.len() as u64),
            Self::Map(items) => head(5, items.len() as u64 / 2),
            Self::Tag(tag, _) => head(6, *tag),
            Self::Simple(value) => vec![0xe0 | value],
            Self::Raw(bytes) => bytes.clone(),
        }
    }

    /// The same with a longer head than it needs.
    pub fn with_long_head(&self) -> Self {
        let short = self.head();
        let argument: u64 = if short.len() == 1 {
            u64::from(short[0] & 0x1f)
        } else {
            short[1..].iter().fold(0, |value, byte| (value << 8) | u64::from(*byte))
        };
        let long = [&[(short[0] & 0xe0) | 0x1b][..], &argument.to_be_bytes()].concat();
        Self::Raw([&long, &self.to_vec()[short.len()..]].concat())
    }

    /// The same of indefinite length, if it has a length.
    pub fn indefinite(&self) -> Option<Self> {
        let content = match self {
            Self::Array(_) | Self::Map(_) => &self.to_vec()[self.head().len()..],
            Self::Bytes(_) | Self::Text(_) => &self.to_vec(),
            _ => return None,
        };
        let start = (self.head()[0] & 0xe0) | 0x1f;
        Some(Self::Raw([&[start], content, &[0xff]].concat()))
    }

    pub fn children(&self) -> &[Tree] {
        match self {
            Self::Array(items) | Self::Map(items) => items,
            Self::Tag(_, item) => std::slice::from_ref(item),
            _ => &[],
        }
    }

    pub fn children_mut(&mut self) -> &mut [Tree] {
        match self {
            Self::Array(items) | Self::Map(items) => items,
            Self::Tag(_, item) => std::slice::from_mut(item),
            _ => &mut [],
        }
    }

    /// The item to which these steps lead.
    pub fn at_mut(&mut self, path: &[usize]) -> &mut Tree {
        path.iter().fold(self, |tree, step| &mut tree.children_mut()[*step])
    }

    /// The value under an integer key of a map.
    pub fn field(&self, key: u64) -> Option<&Tree> {
        let Self::Map(items) = self else { return None };
        items.chunks(2).find(|pair| pair[0] == Self::Unsigned(key)).map(|pair| &pair[1])
    }
}

fn head(major: u8, argument: u64) -> Vec<u8> {
    let bytes = argument.to_be_bytes();
    let (low, from) = match argument {
        0..24 => return vec![(major << 5) | bytes[7]],
        24..0x100 => (24, 7),
        0x100..0x1_0000 => (25, 6),
        0x1_0000..0x1_0000_0000 => (26, 4),
        _ => (27, 0),
    };
    [&[(major << 5) | low][..], &bytes[from..]].concat()
}
