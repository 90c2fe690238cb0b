#!/usr/bin/env bash
# Kills merges at random moments: build/storm.sh [KILLS] [SEED], by default 200 kills with a seed from the clock.
set -euo pipefail
cd "$(dirname "$0")/.."
export SMELT_STORM_KILLS=${1:-200} SMELT_STORM_SEED=${2:-$(date +%s)}
echo "$SMELT_STORM_KILLS kills, seed $SMELT_STORM_SEED"
dotnet test tests/Smelt.Tool.Tests -c Release --filter FullyQualifiedName~StormTests
