#!/usr/bin/env node
import { runCluster } from '../dist/cluster/front.js'

process.exit(await runCluster(process))
