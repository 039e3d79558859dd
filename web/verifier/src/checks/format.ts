/** Check 1: the bytes are a bundle. */
import { type Bundle, NewerVersion, readBundle } from "../bundle.js";
import { Malformed, attempt } from "../malformed.js";
import { fail } from "./checklist.js";

export function checkFormat(bytes: Uint8Array): Bundle {
  const bundle = attempt(() => readBundle(bytes));
  if (bundle instanceof NewerVersion) fail("newer_version", {}, bundle.message);
  if (bundle instanceof Malformed) fail("not_a_bundle", {}, bundle.message);
  return bundle;
}
