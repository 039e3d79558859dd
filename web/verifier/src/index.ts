/** Verifies Furrow's proof bundles and conflict proofs, in Node and in browsers. */
export { parsePolicy, PolicyError, type Policy } from "./policy.js";
export { CHECKS } from "./verdict.js";
export type { BlockTime, CheckName, CheckResult, EventLine, Finding, Verdict } from "./verdict.js";
export type { Accused, ConflictVerdict } from "./conflict/verdict.js";
export { isConflictProof } from "./conflict/proof.js";
export { verifyConflict } from "./conflict/verify.js";
export { verify } from "./verify.js";
