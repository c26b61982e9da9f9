// Who may import whom. Each rule is proven to fire by tools/check-boundaries.it.test.ts.
const TOP = 'platform|mappers|twin|hub|runtime|schemas|samples'
const TESTS = '(\\.test\\.ts$|/testing/)'
const TOOLS = '^(tools|bench)/'

const only = (name, pkg, home) => ({
  name,
  severity: 'error',
  from: { pathNot: [home, TESTS, TOOLS] },
  to: { path: `(^|/)node_modules/${pkg}(/|$)|^${pkg}(/|$)` },
})
const ban = (name, from, to, pathNot) => ({
  name,
  severity: 'error',
  from,
  to: pathNot ? { path: to, pathNot } : { path: to },
})

module.exports = {
  forbidden: [
    { name: 'no-cycle', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    ban('schemas-is-a-leaf', { path: '^schemas/', pathNot: TESTS }, `^(${TOP})/`, '^schemas/'),
    {
      name: 'schemas-are-pure',
      severity: 'error',
      from: { path: '^schemas/', pathNot: TESTS },
      to: { dependencyTypes: ['core'] },
    },
    ban('platform-knows-no-domain', { path: '^platform/' }, '^(mappers|twin|hub|runtime|samples)/'),
    ban(
      'domains-meet-on-the-bus',
      { path: '^(mappers|twin|hub|runtime/edged)/', pathNot: TESTS },
      '^(mappers|twin|hub|runtime)/',
      '^$1/',
    ),
    ban('deploy-knows-schemas-only', { path: '^deploy/', pathNot: TESTS }, `^(${TOP})/`, '^schemas/'),
    ban('nobody-imports-process', { pathNot: ['^runtime/process/', TOOLS] }, '^runtime/process/'),
    ban(
      'driver-sees-contract-only',
      { path: '^mappers/(?!contract/|host/|testing/|dmi/|simulators/)([^/]+)/', pathNot: TESTS },
      '^(platform|mappers|twin|hub|runtime)/',
      '^mappers/($1|contract|payload|serial-port)/',
    ),
    // Rooms that protocols share. What is in a payload is pure; ports are for those that have lines.
    ban(
      'payload-knows-schemas-only',
      { path: '^mappers/payload/', pathNot: TESTS },
      '^(platform|mappers)/',
      '^mappers/payload/',
    ),
    {
      name: 'payload-is-pure',
      severity: 'error',
      from: { path: '^mappers/payload/', pathNot: TESTS },
      to: { dependencyTypes: ['core'] },
    },
    ban(
      'serial-ports-for-lines',
      { path: '^mappers/', pathNot: ['^mappers/(serial-port|text-line|modbus|bluetooth-serial|simulators)/', TESTS] },
      '^mappers/serial-port/',
    ),
    ban(
      'serial-port-knows-no-protocol',
      { path: '^mappers/serial-port/', pathNot: TESTS },
      '^mappers/',
      '^mappers/serial-port/',
    ),
    // They share what is pure of a protocol, as its configuration and codec; a peer that shared a driver would prove nothing.
    ban(
      'simulators-share-no-driver',
      { path: '^mappers/simulators/', pathNot: TESTS },
      '^mappers/(host/(?!values/)|testing/|[^/]+/(driver|connection)\\.ts$)',
    ),
    ban(
      'hub-parts-meet-on-link-and-kube',
      { path: '^hub/(cloud|edge|apiserver|console|serving)/', pathNot: TESTS },
      '^hub/(cloud|edge|apiserver|console)/',
      '^hub/$1/',
    ),
    // What is shared by those who serve a Kubernetes API; the road and the cloud have nothing to do with it.
    ban('serving-is-for-servers', { path: '^hub/(cloud|link|kube|console)/', pathNot: TESTS }, '^hub/serving/'),
    ban('tunnel-knows-link-only', { path: '^hub/tunnel/', pathNot: TESTS }, '^hub/', '^hub/(tunnel|link)/'),
    ban('one-door', { path: `^(${TOP})/`, pathNot: TESTS }, `^(${TOP})/`, ['^$1/', '/index\\.ts$']),
    ban('never-the-own-door', { path: `^((?:${TOP})/[^/]+)/`, pathNot: TESTS }, '^$1/index\\.ts$'),
    ban(
      'no-test-code-in-product',
      { path: `^(${TOP})/`, pathNot: [TESTS, '^samples/'] },
      '(\\.test\\.ts$|/testing/|^samples/|^tools/|^bench/)',
      '^mappers/testing/index\\.ts$',
    ),
    only(
      'mqtt-behind-the-bus',
      '(mqtt|aedes|aedes-packet|mqtt-packet|mqemitter)',
      '^(platform/bus|mappers/(mqtt|simulators))/',
    ),
    only('kubernetes-behind-the-cloud-hub', '@kubernetes', '^hub/(cloud|console)/'),
    only('typeorm-behind-the-store', 'typeorm', '^platform/store/'),
    only('websocket-behind-the-link', 'ws', '^(hub/(link|streaming|tunnel)|platform/bus)/'),
    only('pino-behind-the-log', '(pino|pino-pretty)', '^platform/log/'),
    only('metrics-behind-health', 'prom-client', '^platform/health/'),
    only('commander-behind-the-command-line', 'commander', '^runtime/process/'),
    only('certificates-in-one-place', '(@peculiar|reflect-metadata)', '^platform/certificates/'),
    only('tokens-in-the-cloud', 'jose', '^hub/cloud/'),
    only('modbus-in-its-mapper', 'modbus-serial', '^mappers/modbus/'),
    only('serial-ports-in-their-mappers', '(serialport|@serialport)', '^mappers/serial-port/'),
    only('pseudo-terminals-in-simulators', '@lydell', '^mappers/simulators/'),
    only('opcua-in-its-mapper', 'node-opcua.*', '^mappers/(opcua|simulators)/'),
    only('protobuf-at-its-wires', 'protobufjs', '^(hub/kube|runtime/edged/(cri|probes))/'),
    only('grpc-behind-the-runtime', '@grpc', '^runtime/edged/(cri|probes)/'),
    only('expressions-behind-their-compiler', '(@marcbachmann/cel-js|re2js)', '^hub/kube/cel/'),
    only('json-patch-behind-kube', 'rfc6902', '^hub/kube/'),
    only(
      'yaml-at-the-borders',
      'yaml',
      '^(platform/config|runtime/process|runtime/edged/static-pods|hub/serving|deploy/source)/',
    ),
    {
      name: 'sqlite-behind-the-store',
      severity: 'error',
      from: { pathNot: ['^platform/(store|files)/', TESTS, TOOLS] },
      to: { path: '^(node:)?sqlite$' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(node_modules|dist)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'node', 'default'] },
  },
}
