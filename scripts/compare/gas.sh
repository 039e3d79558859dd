#!/usr/bin/env bash
# Gas of one anchor with Furrow's contract and with those of EAS and Ceramic, on one anvil. Prints figures as JSON.
source "$(dirname "$0")/environment.sh"
npm_ci "$root"

# Only the compiled contracts of the package are wanted; installing it would bring the whole of hardhat.
# The hash is that of the registry's package-lock.json entry, as every lock file holds it.
eas_version=1.9.0
eas_sha512=L60y1fgKlY3a45xxnPlgRbiGQY8RF/lF+AzF1iVoR7/aEzitS0Nuyyjq8+IXs1sSSU0dl2+yGSmELxVeB6FelA==
eas=$FURROW_COMPARE_DIR/eas-contracts-$eas_version
if [ ! -d "$eas" ]; then
  archive=$(cd "$FURROW_COMPARE_DIR" && npm pack --silent "@ethereum-attestation-service/eas-contracts@$eas_version") ||
    fail "npm has no eas-contracts $eas_version; is the npm registry within reach?"
  archive=$FURROW_COMPARE_DIR/$archive
  [ "$("$node" -p 'require("crypto").createHash("sha512").update(fs.readFileSync(process.argv[1])).digest("base64")' "$archive")" = "$eas_sha512" ] ||
    fail "$archive is not the file that was reviewed"
  mkdir "$eas.partial"
  tar -xzf "$archive" -C "$eas.partial" --strip-components 1
  mv "$eas.partial" "$eas"
  rm "$archive"
fi

# The platform's own binary, as contracts/check.sh takes forge.
for anvil in "$root"/node_modules/@foundry-rs/anvil-*/bin/anvil; do
  break
done
[ -x "$anvil" ] || fail "anvil is not installed; does npm have one for this machine?"

exec "$node" "$here/gas.mjs" "$anvil" "$eas"
