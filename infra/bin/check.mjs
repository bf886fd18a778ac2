#!/usr/bin/env node
// The compose file and the Kubernetes manifests against their schemas and our own rules.
import { runCheck } from '../dist/check/check.js'

process.exitCode = runCheck((line) => process.stdout.write(`${line}\n`))
