import { type Check, type Finding, fail, ok, warn } from '../finding.ts'

/** The oldest that everything runs on, and what it is made for. */
const OLDEST = [22, 13] as const
const WANTED = 24

export const nodeJs: Check = {
  name: 'node.js',
  run: async () => [judgeNode(process.versions.node)],
}

export function judgeNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const advice = `install Node.js ${WANTED} (https://nodejs.org), or start skerry by bin/skerry.mjs, which brings it along`
  if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
    return fail(`Node.js ${version} is too old: ${OLDEST.join('.')} is the oldest`, advice)
  }
  return major < WANTED
    ? warn(`Node.js ${version} works; Skerry is made for ${WANTED}`, advice)
    : ok(`Node.js ${version}`)
}
