import { Command, CommanderError, Option } from 'commander'
import { describeError, SkerryError } from '../../platform/lifecycle/index.ts'
import type { CommonOptions } from './command-options.ts'
import { EXIT } from './exit.ts'
import type { Console } from './terminal.ts'
import { openConsole } from './terminal.ts'
import { version } from './version.ts'

/** Runs one command line and answers the exit code. Commands are loaded only when they are called. */
export async function main(args: readonly string[]): Promise<number> {
  const terminal = openConsole()
  let code: number = EXIT.ok
  const program = buildProgram(terminal, (result) => {
    code = result
  })
  try {
    await program.parseAsync([...args], { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode
    terminal.error(complaint(error))
    return EXIT.failure
  }
}

/** One line that says what went wrong and, where the error knows it, what to do; fields that the text names are not said twice. */
function complaint(error: unknown): string {
  const text = describeError(error)
  const parts: string[] = []
  for (const [key, value] of Object.entries(error instanceof SkerryError ? error.fields : {})) {
    const shown = typeof value === 'string' ? value : JSON.stringify(value)
    if (!text.includes(shown)) parts.push(`${key}=${shown}`)
  }
  return `skerry: ${text}${parts.length > 0 ? ` (${parts.join(', ')})` : ''}`
}

/** `skerry token create` */
function pathOf(command: Command): string {
  return command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name()
}

/** What commander says about wrong arguments, as one line that ends with the help to ask for. */
function usageComplaint(text: string, command: string): string {
  const said = text
    .trim()
    .replace(/^error: /, '')
    .replace(/\.$/, '')
    .replace(/\.?\s*\n\s*/g, ' ')
  return `skerry: ${said}; see ${command} --help\n`
}

function buildProgram(terminal: Console, finish: (code: number) => void): Command {
  const program = new Command('skerry')
  program.description('Manage devices at the edge: mappers, twins, MQTT and kubectl.')
  program.version(`skerry ${version} (Node.js ${process.versions.node})`, '--version', 'print the version')
  program.exitOverride().showSuggestionAfterError()
  program.configureOutput({
    writeOut: (text) => terminal.write(text),
    writeErr: (text) => terminal.writeError(text),
    outputError: (text, write) => write(usageComplaint(text, 'skerry')),
  })

  const add = (
    parent: Command,
    usage: string,
    description: string,
    run: (options: CommonOptions & Readonly<Record<string, unknown>>, words: readonly string[]) => Promise<number>,
  ): Command => {
    const command = parent
      .command(usage)
      .description(description)
      .option('--data <dir>', 'data directory: state, certificates and sockets')
      .option('--config <file>', 'configuration, YAML (skerry config schema)')
      .addOption(new Option('-o, --output <format>', 'output').choices(['text', 'json']).default('text'))
    command.configureOutput({ outputError: (text, write) => write(usageComplaint(text, pathOf(command))) })
    command.action(async (...given: readonly unknown[]) => {
      const options = command.opts<CommonOptions & Readonly<Record<string, unknown>>>()
      finish(
        await run(
          options,
          given.flat().filter((word) => typeof word === 'string'),
        ),
      )
    })
    return command
  }

  add(
    program,
    'up',
    'run everything on this machine: cloud, Kubernetes API, edge node, broker, simulated devices',
    async (options) => (await import('./commands/up.ts')).up(options, terminal),
  )
    .addOption(new Option('--ports <how>', 'auto takes free ports').choices(['auto', 'default']).default('default'))
    .option('--no-samples', 'start no simulators and apply no sample devices')
    .option('--mapper <mapper...>', 'use this mapper too: a file, a folder of a package, or the name of a package')

  add(program, 'cloud', 'run the cloud half', async (options) =>
    (await import('./commands/cloud.ts')).cloud(options, terminal),
  ).option('--kubeconfig <file>', 'use this Kubernetes cluster instead of the embedded API')

  add(program, 'edge', 'run the edge half of a node that has joined', async (options) =>
    (await import('./commands/edge.ts')).edge(options, terminal),
  )

  add(program, 'join', 'get certificates and configuration for this node', async (options) =>
    (await import('./commands/join.ts')).join(options, terminal),
  )
    .option('--cloud <host[:port]>', 'CloudHub; default: where the token says')
    .option('--token <token>', 'join token (skerry token create)')
    .option('--token-file <file>', 'read it from this file, which is removed after success; - for standard input')
    .option('--node <name>', 'name of this node; default: the one the token is for')
    .option('--cert-port <port>', 'port of the certificate endpoint')
    .option('--force', 'replace the identity that is there')

  const token = program.command('token').description('join tokens')
  add(token, 'create', 'print a join token', async (options) =>
    (await import('./commands/token.ts')).createToken(options, terminal),
  )
    .option('--node <name>', 'only this node may use it, once')
    .option('--ttl <duration>', 'lifetime, e.g. 30m or 24h; at most 365d', '24h')

  add(token, 'list', 'list the tokens that have not expired', async (options) =>
    (await import('./commands/token.ts')).listTokens(options, terminal),
  )
  add(token, 'revoke <id>', 'take a token back, by its id or the beginning of it', async (options, words) =>
    (await import('./commands/token.ts')).revokeToken(words[0] ?? '', options, terminal),
  )
  add(token, 'rotate', 'change the key of tokens: all of them end', async (options) =>
    (await import('./commands/token.ts')).rotateTokens(options, terminal),
  )

  const node = program.command('node').description('gateways: who has joined, and who is let in')
  add(node, 'list', 'list the gateways that have joined', async (options) =>
    (await import('./commands/node.ts')).listNodes(options, terminal),
  )
  add(node, 'revoke <name>', 'cut a gateway off, until it joins with a new token', async (options, words) =>
    (await import('./commands/node.ts')).revokeNode(words[0] ?? '', options, terminal),
  ).option('--force', 'also a name that is not known here')
  add(node, 'allow <name>', 'let a gateway in with the certificates that it has', async (options, words) =>
    (await import('./commands/node.ts')).allowNode(words[0] ?? '', options, terminal),
  )

  const user = program.command('user').description('people who use the embedded Kubernetes API')
  add(user, 'create <name>', 'write a kubeconfig for somebody, with rights of his own', async (options, words) =>
    (await import('./commands/user.ts')).createUser(words[0] ?? '', options, terminal),
  )
    .option('--group <group...>', 'groups of the user')
    .option('--role <role>', 'Role or ClusterRole that he gets in the namespace')
    .option('--namespace <namespace>', 'where the role counts; default namespace of the kubeconfig')
    .option('--cluster-role <role>', 'ClusterRole that he gets in the whole cluster')
    .option('--ttl <duration>', 'lifetime of the certificate, which cannot be taken back', '7d')
    .option(
      '--out <file>',
      'kubeconfig to write; default: users/NAME.kubeconfig in the data directory of the cloud half',
    )
    .option('--server <url>', 'where he reaches the API; default: where the administrator does')
  add(user, 'list', 'whose certificates have not ended', async (options) =>
    (await import('./commands/user.ts')).listUsers(options, terminal),
  )

  add(program, 'kubeconfig', 'write a kubeconfig for the Kubernetes API of this node (MetaServer)', async (options) =>
    (await import('./commands/kubeconfig.ts')).writeKubeconfig(options, terminal),
  )
    .option(
      '--out <file>',
      'kubeconfig to write; default: metaserver/kubeconfig in the data directory of the edge half',
    )
    .option('--namespace <namespace>', 'of commands that name none', 'default')

  add(
    program,
    'backup <file>',
    'write the embedded Kubernetes API with its keys into one file, while it runs or not',
    async (options, words) => (await import('./commands/backup.ts')).backup(words[0] ?? '', options, terminal),
  ).option('--force', 'replace the file that is there')
  add(program, 'restore <file>', 'put a backup into a data directory of which nothing runs', async (options, words) =>
    (await import('./commands/restore.ts')).restore(words[0] ?? '', options, terminal),
  ).option('--force', 'in place of the API that is there, which is put aside')

  const mqtt = program.command('mqtt').description('users of the MQTT broker')
  add(mqtt, 'password <name>', 'set the password of a user, from standard input or typed', async (options, words) =>
    (await import('./commands/mqtt-password.ts')).mqttPassword(words[0] ?? '', options, terminal),
  ).option('--delete', 'remove the user')

  add(program, 'status', 'state of every module of the processes of a data directory', async (options) =>
    (await import('./commands/status.ts')).status(options, terminal),
  ).option('--wait <duration>', 'wait until all is ready, at most this long, e.g. 60s')

  add(program, 'pods', 'list the pods of this node, with or without the cloud', async (options) =>
    (await import('./commands/pods.ts')).pods(options, terminal),
  ).option('-n, --namespace <namespace>', 'only those of this namespace')

  add(
    program,
    'logs <pod>',
    'print the log of a container of this node, with or without the cloud',
    async (options, words) => (await import('./commands/logs.ts')).logs(words[0] ?? '', options, terminal),
  )
    .option('-n, --namespace <namespace>', 'namespace of the pod', 'default')
    .option('-c, --container <name>', 'container; default: the first one')
    .option('-f, --follow', 'go on with what is written, also when the container begins anew')
    .option('-p, --previous', 'of the container before the present one')
    .option('--tail <lines>', 'only so many lines from the end')
    .option('--since <duration>', 'only what is younger, e.g. 5m')
    .option('--timestamps', 'when each line was written')

  add(
    program,
    'exec <pod> [command...]',
    'run a command in a container of this node: skerry exec POD -- COMMAND',
    async (options, words) => (await import('./commands/exec.ts')).exec(words, options, terminal),
  )
    .option('-n, --namespace <namespace>', 'namespace of the pod', 'default')
    .option('-c, --container <name>', 'container; default: the first one')
    .option('-i, --stdin', 'pass standard input on')
    .option('-t, --tty', 'on a terminal')

  add(
    program,
    'restart <pod>',
    'end the containers of a pod of this node and start them again, with or without the cloud',
    async (options, words) => (await import('./commands/restart.ts')).restart(words[0] ?? '', options, terminal),
  ).option('-n, --namespace <namespace>', 'namespace of the pod', 'default')

  add(
    program,
    'doctor',
    'look for what is wrong on this machine, and say what to do; changes nothing',
    async (options) => (await import('./commands/doctor.ts')).doctor(options, terminal),
  )

  for (const action of ['stop', 'start'] as const) {
    add(
      program,
      `${action} <part>`,
      `${action} one part of a running skerry up: cloud, edge or a simulator`,
      async (options, words) =>
        (await import('./commands/part.ts')).changePart(action, words[0] ?? '', options, terminal),
    )
  }

  add(program, 'simulate <protocol>', 'run a simulated device on its real protocol', async (options, words) =>
    (await import('./commands/simulate.ts')).simulate(words[0] ?? '', options, terminal),
  )
    .option('--model <file>', 'DeviceModel to simulate; default: the sample of the protocol')
    .option('--device <file...>', 'Devices to simulate, with the visitors and the address that they name')
    .option('--port <port>', 'port to listen on; 0 takes a free one')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--serial [path]', 'on a serial port (a pseudo-terminal), linked at the path')
    .option('--rtu', 'modbus: RTU frames in TCP')
    .option('--fault <fault>', 'begin with it: silence, garbage 0.5, slow 800 or disconnect')
    .option('--faults <file>', 'play the faults of this file')

  const mapper = program.command('mapper').description('mappers: list them, write your own')
  add(mapper, 'list', 'list the mappers of the edge: protocols, origin, state, devices', async (options) =>
    (await import('./commands/mapper-list.ts')).mapperList(options, terminal),
  )
  add(mapper, 'new <name>', 'make a package that is a mapper and works at once', async (options, words) =>
    (await import('./commands/mapper-new.ts')).mapperNew(words[0] ?? '', options, terminal),
  )
    .option('--dir <folder>', 'folder to make; default: the name')
    .option('--typescript', 'TypeScript instead of JavaScript')
  add(mapper, 'test [path]', 'hold a mapper to the contract with the conformance suite', async (options, words) =>
    (await import('./commands/mapper-test.ts')).mapperTest(words[0] ?? '.', options, terminal),
  )
  add(
    mapper,
    'schema [which]',
    'print a JSON Schema of the manifests of a protocol, for editors',
    async (options, words) =>
      (await import('./commands/mapper-schema.ts')).mapperSchema(words[0] ?? '.', options, terminal),
  )
  add(mapper, 'dev [path]', 'run a mapper live against a device, and again after each save', async (options, words) =>
    (await import('./commands/mapper-dev.ts')).mapperDev(words[0] ?? '.', options, terminal),
  )
    .option('--device <file>', 'manifest of the devices; default: device.yaml beside the mapper')
    .option('--model <file>', 'manifest of their model; default: model.yaml beside the mapper')

  add(
    program,
    'discover <protocol> [where]',
    'find devices, and print DeviceModels and Devices for them',
    async (options, words) => (await import('./commands/discover.ts')).discover(words, options, terminal),
  )
    .option('--set <key=value...>', 'a key of the device configuration, e.g. securityMode=None or units=1-32')
    .option('--node <name>', 'nodeName of the Devices')

  const opcua = program.command('opcua').description('certificates of OPC UA servers')
  add(opcua, 'list', 'which certificates are trusted, and which wait for a decision', async (options) =>
    (await import('./commands/opcua-trust.ts')).listCertificates(options, terminal),
  )
  for (const decision of ['trust', 'reject'] as const) {
    add(opcua, `${decision} <fingerprint>`, `${decision} the certificate of a server`, async (options, words) =>
      (await import('./commands/opcua-trust.ts')).decideCertificate(decision, words[0] ?? '', options, terminal),
    )
  }

  add(program, 'crds', 'print the custom resource definitions', async (options) =>
    (await import('./commands/print.ts')).crds(options, terminal),
  )
  const config = program.command('config').description('configuration files')
  add(
    config,
    'schema [process]',
    'print the JSON Schema of a configuration: up, cloud or edge',
    async (options, words) => (await import('./commands/print.ts')).configSchema(words[0] ?? 'edge', options, terminal),
  )
  add(program, 'version', 'print the version', async (options) => {
    terminal.print(
      options.output,
      { skerry: version, node: process.versions.node },
      `skerry ${version} (Node.js ${process.versions.node})`,
    )
    return EXIT.ok
  })
  return program
}
