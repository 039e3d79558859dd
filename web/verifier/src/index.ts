/** Verifies Furrow's proof bundles, in Node and in browsers. */
export { parsePolicy, PolicyError, type Policy } from "./policy.js";
export { CHECKS } from "./verdict.js";
export type { BlockTime, CheckName, CheckResult, EventLine, Finding, Verdict } from "./verdict.js";
export { verify } from "./verify.js";
