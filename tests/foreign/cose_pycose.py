"""Checks a COSE_Sign1 with pycose: a signed event, or a receipt with the log root as detached payload.

Usage: cose_pycose.py statement FILE
       cose_pycose.py receipt FILE ENTRY_HEX
       cose_pycose.py consistency FILE OLD_ROOT_HEX

For a receipt the root is computed here, from the entry and the inclusion proof in the unprotected header (RFC 9942,
RFC 9162 section 2.1.3.2); for a consistency receipt from the old root and its proof (section 2.1.4.2).
"""

import hashlib
import sys

import cbor2
from pycose.headers import KID
from pycose.keys import OKPKey
from pycose.keys.curves import Ed25519
from pycose.messages import Sign1Message

VDS, VDP, RFC9162_SHA256 = 395, 396, 1


def node(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def inclusion_root(entry, proof):
    size, index, path = cbor2.loads(proof)
    root, last = hashlib.sha256(b"\x00" + entry).digest(), size - 1
    assert 0 <= index < size, "the index lies outside the tree"
    for sibling in path:
        assert last > 0, "the path is too long"
        if index % 2 == 1 or index == last:
            root = node(sibling, root)
            while index % 2 == 0 and index > 0:
                index, last = index >> 1, last >> 1
        else:
            root = node(root, sibling)
        index, last = index >> 1, last >> 1
    assert last == 0, "the path is too short"
    return root


def consistency_root(old_root, proof):
    old, new, path = cbor2.loads(proof)
    assert 0 < old < new, "the sizes make no sense"
    hashes = list(path) if old & (old - 1) else [old_root, *path]
    index, last = old - 1, new - 1
    while index % 2 == 1:
        index, last = index >> 1, last >> 1
    below = above = hashes[0]
    for sibling in hashes[1:]:
        assert last > 0, "the path is too long"
        if index % 2 == 1 or index == last:
            below, above = node(sibling, below), node(sibling, above)
            while index % 2 == 0 and index > 0:
                index, last = index >> 1, last >> 1
        else:
            above = node(above, sibling)
        index, last = index >> 1, last >> 1
    assert last == 0, "the path is too short"
    assert below == old_root, "the path does not come from the old root"
    return above


def main(what, path, *rest):
    with open(path, "rb") as file:
        message = Sign1Message.decode(file.read())
    message.key = OKPKey(crv=Ed25519, x=message.phdr[KID])
    if what == "statement":
        assert message.uhdr == {}, "a statement's unprotected header is empty"
        assert message.verify_signature(), "the signature does not hold"
        return
    assert message.payload is None, "a receipt's payload is detached"
    assert message.phdr[VDS] == RFC9162_SHA256, "another verifiable data structure"
    given = bytes.fromhex(rest[0])
    label, root_of = {"receipt": (-1, inclusion_root), "consistency": (-2, consistency_root)}[what]
    (proof,) = message.uhdr[VDP][label]
    root = root_of(given, proof)
    assert message.verify_signature(detached_payload=root), "the signature does not hold for the root of the proof"


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(print(__doc__) or 2)
    try:
        main(*sys.argv[1:])
    except Exception as refusal:  # Whatever the library objects to is a refusal.
        sys.exit(print(f"refused: {refusal!r}") or 1)
