//! Every way in which one part of a CBOR item can be wrong.

use crate::tree::Tree;

/// The tree with one change, for every change to a part of each shape; what was changed comes with it.
pub fn of(tree: &Tree) -> Vec<(String, Tree)> {
    let mut mutants = Vec::new();
    for path in paths(tree) {
        let mut original = tree.clone();
        let part = original.at_mut(&path).clone();
        for (change, replacement) in replacements(&part) {
            let mut mutant = tree.clone();
            *mutant.at_mut(&path) = replacement;
            mutants.push((format!("{path:?}: {change}"), mutant));
        }
    }
    mutants
}

/// Ways to all parts; of a list's items the first of each shape, and the last.
fn paths(tree: &Tree) -> Vec<Vec<usize>> {
    let mut paths = vec![vec![]];
    let children = tree.children();
    let mut shapes = Vec::new();
    for (index, child) in children.iter().enumerate() {
        let shape = shape(child);
        let is_list = matches!(tree, Tree::Array(_)) && children.len() > 4;
        if is_list && shapes.contains(&shape) && index + 1 < children.len() {
            continue;
        }
        shapes.push(shape);
        for path in self::paths(child) {
            paths.push([&[index][..], &path].concat());
        }
    }
    paths
}

/// What kinds of parts an item has.
fn shape(tree: &Tree) -> String {
    match tree {
        Tree::Unsigned(_) => "u".into(),
        Tree::Negative(_) => "n".into(),
        Tree::Bytes(_) => "b".into(),
        Tree::Text(_) => "t".into(),
        Tree::Array(items) => {
            let mut shapes: Vec<String> = items.iter().map(shape).collect();
            shapes.dedup();
            format!("[{}]", shapes.concat())
        }
        Tree::Map(items) => {
            let parts: Vec<String> = items.chunks(2).map(|pair| format!("{:?}{}", pair[0], shape(&pair[1]))).collect();
            format!("{{{}}}", parts.concat())
        }
        Tree::Tag(tag, item) => format!("{tag}({})", shape(item)),
        Tree::Simple(value) => format!("s{value}"),
        Tree::Raw(_) => "r".into(),
    }
}

type Change = (&'static str, Tree);

fn replacements(part: &Tree) -> Vec<Change> {
    let mut changes: Vec<Change> = vec![
        ("null", Tree::Simple(22)),
        ("true", Tree::Simple(21)),
        ("undefined", Tree::Simple(23)),
        ("a float", Tree::Raw(vec![0xf9, 0, 0])),
        ("a tag", Tree::Tag(1, Box::new(part.clone()))),
        ("a head that is too long", part.with_long_head()),
        ("nothing", Tree::Raw(vec![])),
        ("twice", Tree::Raw(part.to_vec().repeat(2))),
        ("an empty map", Tree::Map(vec![])),
        ("an empty list", Tree::Array(vec![])),
    ];
    changes.extend(part.indefinite().map(|tree| ("indefinite length", tree)));
    match part {
        Tree::Unsigned(value) | Tree::Negative(value) => changes.extend(of_integer(part, *value)),
        Tree::Bytes(bytes) => changes.extend(of_bytes(bytes)),
        Tree::Text(bytes) => changes.extend(of_text(bytes)),
        Tree::Array(items) => changes.extend(of_list(items)),
        Tree::Map(items) => changes.extend(of_map(items)),
        Tree::Tag(tag, item) => {
            changes.push(("another tag", Tree::Tag(tag + 1, item.clone())));
            changes.push(("no tag", (**item).clone()));
        }
        Tree::Simple(_) | Tree::Raw(_) => {}
    }
    changes
}

fn of_integer(part: &Tree, value: u64) -> Vec<Change> {
    let same = |value| if matches!(part, Tree::Unsigned(_)) { Tree::Unsigned(value) } else { Tree::Negative(value) };
    let other = if matches!(part, Tree::Unsigned(_)) { Tree::Negative(value) } else { Tree::Unsigned(value) };
    let sizes = [0, 1, 255, 256, 1 << 16, 1 << 32, (1 << 53) - 1, 1 << 53, u64::MAX];
    let mut changes: Vec<Change> = sizes.iter().map(|value| ("another size", same(*value))).collect();
    changes.extend([
        ("one more", same(value.wrapping_add(1))),
        ("one less", same(value.wrapping_sub(1))),
        ("the other sign", other),
        ("a bignum", Tree::Tag(2, Box::new(Tree::Bytes(value.to_be_bytes().to_vec())))),
        ("a text", Tree::Text(value.to_string().into_bytes())),
    ]);
    changes
}

fn of_bytes(bytes: &[u8]) -> Vec<Change> {
    let changed = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = bytes.to_vec();
        change(&mut bytes);
        Tree::Bytes(bytes)
    };
    let mut changes = vec![
        ("no bytes", Tree::Bytes(vec![])),
        ("zeros", Tree::Bytes(vec![0; bytes.len()])),
        ("ones", Tree::Bytes(vec![0xff; bytes.len()])),
        ("one byte more", changed(&|bytes| bytes.push(0))),
        ("a byte in front", changed(&|bytes| bytes.insert(0, 0x80))),
        ("very long", changed(&|bytes| bytes.resize(16_385, 1))),
        ("a text", Tree::Text(bytes.to_vec())),
        ("an integer", Tree::Unsigned(bytes.len() as u64)),
    ];
    if !bytes.is_empty() {
        let middle = bytes.len() / 2;
        changes.extend([
            ("first bit", changed(&|bytes| bytes[0] ^= 0x80)),
            ("last bit", changed(&|bytes| *bytes.last_mut().unwrap() ^= 1)),
            ("a bit in the middle", changed(&|bytes| bytes[middle] ^= 0x10)),
            ("one byte less", changed(&|bytes| bytes.truncate(bytes.len() - 1))),
        ]);
    }
    changes
}

fn of_text(text: &[u8]) -> Vec<Change> {
    let with = |what, before: &[u8], after: &[u8]| (what, Tree::Text([before, text, after].concat()));
    let mut changes = vec![
        ("no text", Tree::Text(vec![])),
        ("no UTF-8", Tree::Text(vec![0xff])),
        ("bytes", Tree::Bytes(text.to_vec())),
        ("an integer", Tree::Unsigned(7)),
        (
            "other case",
            Tree::Text(text.iter().map(|byte| byte ^ (0x20 * u8::from(byte.is_ascii_alphabetic()))).collect()),
        ),
        ("one character less", Tree::Text(text[..text.len().saturating_sub(1)].to_vec())),
        ("very long", Tree::Text(vec![b'a'; 70_000])),
        ("long", Tree::Text(vec![b'a'; 129])),
    ];
    for strange in [
        " ", "\n", "\t", "\u{0}", "\u{7f}", "\u{85}", "\u{a0}", "\u{200e}", "\u{feff}", "\u{2066}", "\u{3000}", "x",
        "Ж",
    ] {
        changes.push(with("something before", strange.as_bytes(), b""));
        changes.push(with("something after", b"", strange.as_bytes()));
    }
    let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    if lines.len() > 1 {
        for at in 0..lines.len() {
            changes.extend(of_line(&lines, at));
        }
    }
    changes
}

/// A text in which one of several lines is wrong.
fn of_line(lines: &[&[u8]], at: usize) -> Vec<Change> {
    let with = |line: Vec<u8>| Tree::Text([lines[..at].concat(), line, lines[at + 1..].concat()].concat());
    let edited = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut line = lines[at].to_vec();
        change(&mut line);
        with(line)
    };
    let mut changes = vec![
        ("a line less", with(vec![])),
        ("a line twice", with(lines[at].repeat(2))),
        ("a blank in front of a line", edited(&|line| line.insert(0, b' '))),
        ("a carriage return in a line", edited(&|line| line.insert(line.len() - 1, b'\r'))),
        ("a blank after a line", edited(&|line| line.insert(line.len() - 1, b' '))),
        ("a zero in front of a line", edited(&|line| line.insert(0, b'0'))),
        ("an empty line", with([lines[at], b"\n"].concat())),
        ("a strange line", with([lines[at], "\u{2014} someone AAAAAAA=\n".as_bytes()].concat())),
        ("a strange line of two words", with([lines[at], "\u{2014} some one AAAAAAA=\n".as_bytes()].concat())),
        (
            "a line to the end",
            Tree::Text([lines[..at].concat(), lines[at + 1..].concat(), lines[at].to_vec()].concat()),
        ),
    ];
    for place in [0, 1, 2, 3] {
        changes.push((
            "a character of a line",
            edited(&|line| {
                let at = (line.len() - 1) * place / 4;
                if line[at..].first().is_some_and(u8::is_ascii_alphanumeric) {
                    line[at] = if line[at] == b'a' { b'b' } else { b'a' };
                }
            }),
        ));
    }
    for change in [b'=', b'/', b'+', b'A', b'9'] {
        changes.push(("the end of a line", edited(&|line| line.insert(line.len() - 1, change))));
        let before_last = |line: &mut Vec<u8>| {
            let at = line.len().saturating_sub(3);
            if line[at].is_ascii() {
                line[at] = change;
            }
        };
        changes.push(("the last but one of a line", edited(&before_last)));
    }
    changes
}

fn of_list(items: &[Tree]) -> Vec<Change> {
    let changed = |change: &dyn Fn(&mut Vec<Tree>)| {
        let mut items = items.to_vec();
        change(&mut items);
        Tree::Array(items)
    };
    let mut changes = vec![
        ("an integer more", changed(&|items| items.push(Tree::Unsigned(0)))),
        ("a null more", changed(&|items| items.push(Tree::Simple(22)))),
        ("a hash more", changed(&|items| items.push(Tree::Bytes(vec![7; 32])))),
        ("a map", Tree::Map([items, items].concat())),
    ];
    if let Some(last) = items.len().checked_sub(1) {
        changes.extend([
            ("the first less", changed(&|items| drop(items.remove(0)))),
            ("the last less", changed(&|items| items.truncate(last))),
            ("one in the middle less", changed(&|items| drop(items.remove(last / 2)))),
            ("the first twice", changed(&|items| items.insert(0, items[0].clone()))),
            ("the last twice", changed(&|items| items.push(items[last].clone()))),
            ("first and last exchanged", changed(&|items| items.swap(0, last))),
            ("two neighbours exchanged", changed(&|items| items.swap(last / 2, last.min(last / 2 + 1)))),
            ("reversed", changed(&|items| items.reverse())),
            ("very long", changed(&|items| items.resize(300, items[0].clone()))),
        ]);
    }
    changes
}

fn of_map(items: &[Tree]) -> Vec<Change> {
    let changed = |change: &dyn Fn(&mut Vec<Tree>)| {
        let mut items = items.to_vec();
        change(&mut items);
        Tree::Map(items)
    };
    let mut changes = vec![
        ("a list", Tree::Array(items.to_vec())),
        ("field 23 more", changed(&|items| items.extend([Tree::Unsigned(23), Tree::Unsigned(0)]))),
        ("field 300 more", changed(&|items| items.extend([Tree::Unsigned(300), Tree::Unsigned(0)]))),
        ("a field with a text more", changed(&|items| items.extend([Tree::Text(b"x".to_vec()), Tree::Unsigned(0)]))),
        (
            "the fields reversed",
            changed(&|items| {
                items.reverse();
                items.chunks_mut(2).for_each(<[Tree]>::reverse);
            }),
        ),
    ];
    // Optional fields of every format, where they are not: the lists in them are checked elsewhere.
    for key in 0..16_u64 {
        let at = items.chunks(2).position(|pair| matches!(&pair[0], Tree::Unsigned(found) if *found >= key));
        let at = at.map_or(items.len(), |pair| 2 * pair);
        if items.get(at) == Some(&Tree::Unsigned(key)) {
            changes.push(("a field less", changed(&|items| drop(items.drain(at..at + 2)))));
            changes.push((
                "a field twice",
                changed(&|items| {
                    items.insert(at, Tree::Raw(items[at..at + 2].iter().flat_map(Tree::to_vec).collect()));
                }),
            ));
            continue;
        }
        for value in [
            Tree::Unsigned(1),
            Tree::Bytes(vec![7; 32]),
            Tree::Text(b"FR".to_vec()),
            Tree::Array(vec![]),
            Tree::Simple(22),
        ] {
            let pair = [Tree::Unsigned(key), value];
            changes.push(("a field more", changed(&|items| drop(items.splice(at..at, pair.clone())))));
        }
    }
    changes
}
