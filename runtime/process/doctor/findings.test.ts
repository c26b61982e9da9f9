import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judgeCertificate } from './checks/certificates.ts'
import { judgeCgroups } from './checks/cgroups.ts'
import { judgeCapabilities, judgeRuntime, judgeSilence } from './checks/container-runtime.ts'
import { judgeRoom } from './checks/data-directory.ts'
import { addressOf, judgeClock } from './checks/hub.ts'
import { judgeNode } from './checks/node-js.ts'
import { judgeAddress } from './checks/pod-address.ts'
import { installCommands, parseOsRelease, pluginFolder } from './install-advice.ts'
import { doctorText } from './text.ts'

const DEBIAN = { id: 'debian', like: [] }

test('a version of Node.js is too old, works, or is the wanted one', () => {
  const outcomes = ['20.19.0', '22.12.9', '22.13.0', '23.1.0', '24.0.0', '26.1.0'].map(
    (version) => judgeNode(version).outcome,
  )
  assert.deepEqual(outcomes, ['fail', 'fail', 'warn', 'warn', 'ok', 'ok'])
})

test('room on the disk is judged by bytes first', () => {
  assert.equal(judgeRoom(10 * 1024 * 1024, 50).outcome, 'fail')
  assert.equal(judgeRoom(1024 ** 3, 9).outcome, 'warn')
  assert.equal(judgeRoom(1024 ** 3, 10).outcome, 'ok')
})

test('a certificate has ended, ends soon, or begins later than this clock', () => {
  const certificate = { validFrom: 'Jan 10 00:00:00 2026 GMT', validTo: 'Feb 10 00:00:00 2026 GMT' }
  const at = (day: string) => judgeCertificate('it', certificate, Date.parse(day))
  assert.deepEqual(
    ['2026-01-09', '2026-01-10', '2026-02-04', '2026-02-10'].map((day) => at(`${day}T00:00:00Z`).outcome),
    ['fail', 'ok', 'warn', 'fail'],
  )
  assert.match(at('2026-01-09T00:00:00Z').message, /clock is behind/)
})

test('a clock is told how far it is from that of the cloud half', () => {
  assert.equal(judgeClock(-30_000).outcome, 'ok')
  assert.match(judgeClock(90_000).message, /90 s ahead of/)
  assert.match(judgeClock(-90_000).message, /90 s behind/)
})

test('addresses are read with and without brackets', () => {
  assert.deepEqual(addressOf('[::1]:10000'), { host: '::1', port: 10000 })
  assert.deepEqual(addressOf('cloud.plant:10000'), { host: 'cloud.plant', port: 10000 })
})

test('cgroups of both versions are read; a missing memory controller has its own advice', () => {
  const table = (memory: number) =>
    `#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpu\t1\t1\t1\nmemory\t2\t1\t${memory}\npids\t3\t1\t1\n`
  assert.deepEqual(judgeCgroups('cpuset cpu io memory pids\n', undefined)[0]?.outcome, 'ok')
  assert.deepEqual(judgeCgroups(undefined, table(1))[0]?.outcome, 'ok')
  const [raspberry] = judgeCgroups(undefined, table(0))
  assert.match(raspberry?.message ?? '', /missing: memory/)
  assert.match(raspberry?.advice ?? '', /cgroup_enable=memory/)
  assert.match(judgeCgroups('cpu memory', undefined)[0]?.message ?? '', /missing: pids/)
})

test('a runtime without a network says where plugins and networks go on this system', () => {
  const ready = { type: 'RuntimeReady', status: true, reason: '', message: '' }
  const noNetwork = {
    type: 'NetworkReady',
    status: false,
    reason: 'NetworkPluginNotReady',
    message: 'cni plugin not initialized',
  }
  const [first, second] = judgeRuntime({ conditions: [ready, noNetwork] }, DEBIAN)
  assert.equal(first?.outcome, 'ok')
  assert.equal(second?.outcome, 'fail')
  assert.match(second?.message ?? '', /cni plugin not initialized/)
  assert.match(second?.advice ?? '', /bin_dir = "\/usr\/lib\/cni"/)
  assert.match(second?.advice ?? '', /10-skerry\.conflist/)
  const [dead] = judgeRuntime({ conditions: [{ ...ready, status: false, message: 'no disk' }] }, DEBIAN)
  assert.match(dead?.message ?? '', /not ready for containers: no disk/)
})

test('a containerd whose CRI is turned off is told apart from one that is down', () => {
  const off = judgeSilence('/run/c.sock', 'unknown service runtime.v1.RuntimeService')
  assert.match(off.advice ?? '', /disabled_plugins/)
  assert.match(judgeSilence('/run/c.sock', 'connect ECONNREFUSED').advice ?? '', /systemctl status/)
})

test('root without CAP_SYS_RESOURCE is told of restrict_oom_score_adj', () => {
  const all = 'Name:\tnode\nCapEff:\t000001ffffffffff\n'
  const few = 'Name:\tnode\nCapEff:\t00000000a80425fb\n'
  assert.deepEqual(judgeCapabilities(all, true), [])
  assert.deepEqual(judgeCapabilities(few, false), [])
  assert.deepEqual(judgeCapabilities('', true), [])
  assert.match(judgeCapabilities(few, true)[0]?.advice ?? '', /restrict_oom_score_adj = true/)
})

test('systems are known by their name, or by that of the one they are like', () => {
  const commands = (text: string) => installCommands(parseOsRelease(text))?.[0]?.split(' ')[0]
  assert.equal(commands('NAME="Ubuntu"\nID=ubuntu\nID_LIKE=debian\n'), 'apt-get')
  assert.equal(commands('ID="raspbian"\nID_LIKE="debian"\n'), 'apt-get')
  assert.equal(commands('ID="rocky"\nID_LIKE="rhel centos fedora"\n'), 'dnf')
  assert.equal(commands("ID='alpine'\n"), 'apk')
  assert.equal(commands('ID=void\n'), undefined)
  assert.deepEqual(
    ['debian', 'fedora', 'alpine'].map((id) => pluginFolder({ id, like: [] })),
    ['/usr/lib/cni', '/usr/libexec/cni', '/opt/cni/bin'],
  )
})

test('the address for pods is there, will be, or needs somebody', () => {
  assert.equal(judgeAddress('169.254.30.10', true, false).outcome, 'ok')
  assert.match(judgeAddress('169.254.30.10', false, true).message, /is added when/)
  assert.match(judgeAddress('169.254.30.10', false, false).advice ?? '', /ip address add/)
  assert.match(judgeAddress('10.0.0.1', false, true).advice ?? '', /edged\.twins\.address/)
})

test('findings are shown in columns, advice beneath them', () => {
  const text = doctorText([
    { check: 'a', outcome: 'ok', message: 'fine' },
    { check: 'bcd', outcome: 'fail', message: 'broken', advice: 'do this\nthen that' },
  ])
  assert.equal(
    text,
    'ok    a    fine\nFAIL  bcd  broken\n           do this\n           then that\n\n1 failed, 0 with a warning, 1 ok',
  )
})
