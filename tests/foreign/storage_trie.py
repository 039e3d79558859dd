"""Checks the account and storage proof of an anchor with the Ethereum Foundation's `trie`.

Usage: storage_trie.py FILE
FILE is JSON: { header, contract, sender, commitment, account: [node…], slot: [node…] }, all in hex with 0x.
"""

import json
import sys

import rlp
from eth_hash.auto import keccak
from trie import HexaryTrie


def unhex(text):
    return bytes.fromhex(text.removeprefix("0x"))


def proven(root, key, nodes):
    value = HexaryTrie.get_from_proof(root, keccak(key), [rlp.decode(unhex(node)) for node in nodes])
    assert value, "the key is not in the trie"
    return rlp.decode(value)


def main(path):
    with open(path, encoding="utf-8") as file:
        given = json.load(file)
    state_root = rlp.decode(unhex(given["header"]), strict=False)[3]
    account = proven(state_root, unhex(given["contract"]), given["account"])
    slot = keccak(unhex(given["sender"]).rjust(32, b"\0") + bytes(32))
    stored = proven(account[2], slot, given["slot"])
    assert stored.rjust(32, b"\0") == unhex(given["commitment"]), f"the slot holds {stored.hex()}"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(print(__doc__) or 2)
    try:
        main(sys.argv[1])
    except Exception as refusal:  # Whatever the library objects to is a refusal.
        sys.exit(print(f"refused: {refusal!r}") or 1)
