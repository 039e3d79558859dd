/** What each check proves and on whose word that rests, in sentences for people. */
import type { CheckName } from "../verdict.js";

export const CLAIMS: Readonly<Record<CheckName, { proves: string; rests_on: string }>> = {
  format: {
    proves: "The bytes are one proof bundle of version 1, written in its one form.",
    rests_on: "Nothing but the bytes.",
  },
  network: {
    proves: "The history belongs to the network with this name and these founders.",
    rests_on: "SHA-256; that this is the network meant, on the id that the auditor expects.",
  },
  signatures: {
    proves: "Every event was signed by the key that it names, and not changed since.",
    rests_on: "Ed25519, and the signers' care for their keys.",
  },
  rules: {
    proves: "Every event was allowed to its signer by the rules: enrolment, custody, quantities.",
    rests_on: "The rules, replayed here from the founders on.",
  },
  scope: {
    proves: "The bundle holds what belongs to the lot, and nothing else.",
    rests_on: "The events of the bundle.",
  },
  checkpoint: {
    proves: "The node signed this size and these roots of its log.",
    rests_on: "The node's log key.",
  },
  cosignatures: {
    proves: "Other nodes computed the same roots from their own copies, as many as the policy wants.",
    rests_on: "The log keys of the cosigning nodes.",
  },
  log: {
    proves: "Every event stands in the log at its index.",
    rests_on: "SHA-256 and the checkpoint.",
  },
  whole: {
    proves: "No event of these histories is withheld, as of the checkpoint.",
    rests_on: "The node that signed the checkpoint, and those that cosigned it.",
  },
  anchors: {
    proves: "The node committed to beginnings of this same log, one after the other.",
    rests_on: "The bundle's own account of the chain, until the check of the chain confirms it.",
  },
  chain: {
    proves: "The commitments stand on the chain, in blocks whose hashes the auditor brought.",
    rests_on: "The blockchain, and the source of the block hashes.",
  },
  openings: {
    proves: "The opened values are those that the signers sealed.",
    rests_on: "SHA-256.",
  },
};
