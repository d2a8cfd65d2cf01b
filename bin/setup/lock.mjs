import { mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { birthOf, isRunning } from './process-identity.mjs'
import { readJson, say } from './terminal.mjs'

/**
 * Runs `work` while no other set-up works in this checkout. `work` receives a function that adds a child's pid to
 * the holders: npm outlives a `kill -9` of the set-up and must be waited for too.
 */
export async function withSetupLock(directory, work) {
  mkdirSync(path.dirname(directory), { recursive: true })
  await takeLock(directory)
  const pids = [process.pid]
  recordHolders(directory, pids)
  try {
    return await work((childPid) => {
      pids.push(childPid)
      recordHolders(directory, pids)
    })
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

async function takeLock(directory) {
  let hasTold = false
  while (!tryMakeDirectory(directory)) {
    if (!isHeld(directory)) {
      rmSync(directory, { recursive: true, force: true })
      continue
    }
    if (!hasTold) say('another set-up is running in this folder; waiting for it')
    hasTold = true
    await sleep(300)
  }
}

function tryMakeDirectory(directory) {
  try {
    mkdirSync(directory)
    return true
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw error
  }
}

function isHeld(directory) {
  const holders = readJson(path.join(directory, 'holders.json'))
  if (Array.isArray(holders)) return holders.some(isRunning)
  // Its maker has not written the file yet, or died before it could.
  const made = statSync(directory, { throwIfNoEntry: false })?.mtimeMs ?? 0
  return Date.now() - made < 5000
}

function recordHolders(directory, pids) {
  const holders = pids.map((pid) => ({ pid, born: birthOf(pid) })).filter(({ born }) => born !== undefined)
  const fresh = path.join(directory, 'holders.new')
  writeFileSync(fresh, JSON.stringify(holders))
  renameSync(fresh, path.join(directory, 'holders.json'))
}
