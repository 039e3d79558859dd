// Gas of one anchor, by whole transactions on anvil.
// Usage: gas.mjs ANVIL EAS_PACKAGE
import { spawn, execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { AbiCoder, Contract, ContractFactory, JsonRpcProvider, ZeroAddress, ZeroHash, id, keccak256 } from "ethers";
import { Figures, endWithThisProcess } from "./figures.mjs";

const [anvilPath, easPackage] = process.argv.slice(2);
const root = new URL("../../", import.meta.url);
// Many in one transaction is the cheapest that EAS can do for a root; ten is what a cooperative might wait for.
const TOGETHER = 10;

const json = (path) => JSON.parse(readFileSync(path, "utf8"));
const words = (types, values) => AbiCoder.defaultAbiCoder().encode(types, values);

/** A chain of its own on a free port, mining a block for each transaction. */
async function startChain() {
  // A commitment holds the time of its block, and each of its bytes that happens to be zero costs 12 gas less: with times
  // that are always the same, so is the gas.
  const anvil = endWithThisProcess(
    spawn(anvilPath, ["--port", "0", "--timestamp", "1760000000"], { stdio: ["ignore", "pipe", "inherit"] }),
  );
  for await (const line of createInterface(anvil.stdout)) {
    const address = /Listening on (\S+)/.exec(line);
    if (address === null) continue;
    anvil.stdout.resume();
    const provider = new JsonRpcProvider(`http://${address[1]}`, undefined, { staticNetwork: true, cacheTimeout: -1 });
    await provider.send("anvil_setBlockTimestampInterval", [1]);
    return { provider, stop: () => anvil.kill() };
  }
  throw new Error("anvil ended before it listened");
}

/** Compiled as Furrow's own contract is, with the compiler that package-lock.json pins. */
function compileCeramic() {
  const solc = createRequire(new URL("package.json", root))("solc");
  const input = {
    language: "Solidity",
    sources: { "ceramic_anchor.sol": { content: readFileSync(new URL("ceramic_anchor.sol", import.meta.url), "utf8") } },
    settings: {
      evmVersion: "shanghai",
      viaIR: true,
      optimizer: { enabled: true, runs: 1_000_000 },
      outputSelection: { "*": { "*": ["abi", "evm.bytecode.object"] } },
    },
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input)));
  const problem = output.errors?.find((error) => error.severity === "error");
  if (problem !== undefined) throw new Error(problem.formattedMessage);
  const { abi, evm } = output.contracts["ceramic_anchor.sol"].CeramicAnchor;
  return { abi, bytecode: evm.bytecode.object };
}

async function deploy({ abi, bytecode }, signer, ...args) {
  const contract = await new ContractFactory(abi, bytecode, signer).deploy(...args);
  await contract.waitForDeployment();
  return new Contract(await contract.getAddress(), abi, signer);
}

/** The receipt of a call that must succeed. */
async function receiptOf(call) {
  const receipt = await (await call).wait();
  if (receipt.status !== 1) throw new Error("a transaction failed");
  return receipt;
}

const gasOf = async (call) => Number((await receiptOf(call)).gasUsed);

/** Roots are hashes: no two alike, hardly a zero byte. */
let rootsMade = 0;
const nextRoot = () => id(`root ${(rootsMade += 1)}`);

async function furrow(figures, signer) {
  const contract = await deploy(json(new URL("contracts/abi/FurrowAnchor.json", root)), signer);
  const anchor = (previous, size) => contract.anchor(previous, size, nextRoot(), nextRoot());
  const receipt = await receiptOf(anchor(ZeroHash, 1_000_000));
  const says = "size, log root, state root, the anchor before";
  figures.add("anchor_first", Number(receipt.gasUsed), "gas", `FurrowAnchor.anchor: the first of a sender; ${says}`);
  // The commitment is the hash of the log's data, as contracts/README.md says.
  const repeat = await gasOf(anchor(keccak256(receipt.logs[0].data), 2_000_000));
  figures.add("anchor_repeat", repeat, "gas", "FurrowAnchor.anchor: every later one");
}

async function eas(figures, signer, suffix, read) {
  const registry = await deploy(read("SchemaRegistry"), signer);
  const contract = await deploy(read("EAS"), signer, await registry.getAddress());
  // Later versions answer version(), the one on the main network VERSION().
  const version = contract.interface.hasFunction("version") ? await contract.version() : await contract.VERSION();
  const of = `EAS ${version}`;
  const schema = async (text) => {
    const receipt = await receiptOf(registry.register(text, ZeroAddress, false));
    return receipt.logs[0].topics[1];
  };
  const plain = { recipient: ZeroAddress, expirationTime: 0, revocable: false, value: 0 };
  const about = (refUID, data) => ({ ...plain, refUID, data });
  const oneRoot = await schema("bytes32 root");
  const whole = await schema("uint64 size,bytes32 logRoot,bytes32 stateRoot");
  const rootOnly = () => about(ZeroHash, words(["bytes32"], [nextRoot()]));
  const wholeAnchor = (previous, size) =>
    about(previous, words(["uint64", "bytes32", "bytes32"], [size, nextRoot(), nextRoot()]));

  const stampedOne = await gasOf(contract.timestamp(nextRoot()));
  figures.add(`timestamp${suffix}`, stampedOne, "gas", `${of} timestamp: one root and when; not by whom`);
  const stamped = await gasOf(contract.multiTimestamp(Array.from({ length: TOGETHER }, nextRoot)));
  figures.add(`multi_timestamp${suffix}`, Math.round(stamped / TOGETHER), "gas/root", `${of} multiTimestamp of ${TOGETHER} roots`);

  const attestedOne = await gasOf(contract.attest({ schema: oneRoot, data: rootOnly() }));
  figures.add(`attest_root${suffix}`, attestedOne, "gas", `${of} attest: one root, by whom and when`);
  const several = Array.from({ length: TOGETHER }, rootOnly);
  const attested = await gasOf(contract.multiAttest([{ schema: oneRoot, data: several }]));
  figures.add(`multi_attest${suffix}`, Math.round(attested / TOGETHER), "gas/root", `${of} multiAttest of ${TOGETHER} roots`);

  const first = await receiptOf(contract.attest({ schema: whole, data: wholeAnchor(ZeroHash, 1_000_000) }));
  // The attestation's id is what the log holds outside its topics.
  const repeat = await gasOf(contract.attest({ schema: whole, data: wholeAnchor(first.logs[0].data, 2_000_000) }));
  figures.add(`attest_anchor${suffix}`, repeat, "gas", `${of} attest: all that Furrow's anchor says, the attestation before too`);
}

async function ceramic(figures, owner, service) {
  const contract = await deploy(compileCeramic(), owner);
  await receiptOf(contract.addCas(await service.getAddress()));
  const anchor = () => contract.connect(service).anchorDagCbor(nextRoot());
  await receiptOf(anchor());
  const repeat = await gasOf(anchor());
  figures.add("anchor", repeat, "gas", "Ceramic anchorDagCbor by a service on its list: one root, in the transaction's log alone");
  figures.add("anchor_owner", await gasOf(contract.anchorDagCbor(nextRoot())), "gas", "Ceramic anchorDagCbor by the owner");
}

const chain = await startChain();
try {
  const owner = await chain.provider.getSigner(0);
  const service = await chain.provider.getSigner(1);
  const anvilVersion = execFileSync(anvilPath, ["--version"], { encoding: "utf8" }).split("\n")[0].replace(/^anvil Version: /, "anvil ");
  const packageVersion = `eas-contracts ${json(`${easPackage}/package.json`).version}`;

  const lists = [];
  const measure = async (prefix, version, work) => {
    const figures = new Figures(prefix, `${version}, ${anvilVersion}`);
    await work(figures);
    lists.push(...figures.list);
  };
  await measure("furrow", "contracts/abi/FurrowAnchor.json", (figures) => furrow(figures, owner));
  await measure("eas", packageVersion, async (figures) => {
    await eas(figures, owner, "", (name) => json(`${easPackage}/artifacts/contracts/${name}.sol/${name}.json`));
    await eas(figures, owner, "_mainnet", (name) => json(`${easPackage}/deployments/mainnet/${name}.json`));
  });
  await measure("ceramic", "CeramicAnchorServiceV2, written anew", (figures) => ceramic(figures, owner, service));
  process.stdout.write(`${JSON.stringify(lists, null, 2)}\n`);
} finally {
  chain.provider.destroy();
  chain.stop();
}
