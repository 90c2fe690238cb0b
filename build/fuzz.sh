#!/usr/bin/env bash
# Feeds seeded mutations to the readers of headers, indexes and configurations: build/fuzz.sh [CASES] [SEED], by default a
# million of each with a seed from the clock.
set -euo pipefail
cd "$(dirname "$0")/.."
export SMELT_FUZZ_CASES=${1:-1000000} SMELT_FUZZ_SEED=${2:-$(date +%s)}
echo "$SMELT_FUZZ_CASES cases, seed $SMELT_FUZZ_SEED"
dotnet test tests/Smelt.Checkpoints.Tests -c Release --filter FullyQualifiedName~FuzzTests
dotnet test tests/Smelt.Recipes.Tests -c Release --filter FullyQualifiedName~FuzzTests
