#!/usr/bin/env node
// The committed ABI and bytecode: `artifact.mjs --check` compares abi/FurrowAnchor.json with what forge has just
// built into out/, `artifact.mjs --write` replaces it.
import { readFileSync, writeFileSync } from "node:fs";

const committedPath = new URL("abi/FurrowAnchor.json", import.meta.url);
const built = JSON.parse(readFileSync(new URL("out/FurrowAnchor.sol/FurrowAnchor.json", import.meta.url), "utf8"));
const { compiler, settings } = JSON.parse(built.rawMetadata);

const artifact = `${JSON.stringify(
  {
    contractName: "FurrowAnchor",
    compiler: { version: compiler.version, settings },
    abi: built.abi,
    bytecode: built.bytecode.object,
    deployedBytecode: built.deployedBytecode.object,
  },
  null,
  2,
)}\n`;

switch (process.argv[2]) {
  case "--write":
    writeFileSync(committedPath, artifact);
    break;
  case "--check":
    if (readFileSync(committedPath, "utf8") !== artifact) {
      console.error(
        "contracts/abi/FurrowAnchor.json is not what the sources compile to: run contracts/check.sh --update and " +
          "commit the change, or undo the change of the sources",
      );
      process.exitCode = 1;
    }
    break;
  default:
    console.error("usage: artifact.mjs --check | --write");
    process.exitCode = 2;
}
