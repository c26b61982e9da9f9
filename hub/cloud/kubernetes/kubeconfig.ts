import { readFile } from 'node:fs/promises'
import type { RequestOptions } from 'node:https'
import { dirname, isAbsolute, join } from 'node:path'
import { ConfigError } from '../../../platform/lifecycle/index.ts'
import { type CredentialPlugin, credentialPlugin } from './exec-credential.ts'
import { isRecord } from './guards.ts'

/** Either the text of a kubeconfig, or the file that holds it, or the service account of the pod this runs in. */
export type KubeconfigSource = { readonly text: string } | { readonly file: string } | { readonly inCluster: true }

/** What a kubeconfig says just now, with the files that it names. */
export interface ReadKubeconfig {
  readonly server: URL
  /** TLS, and headers with who asks; what a plugin adds is not among them. */
  readonly options: RequestOptions
  /** TLS alone: nothing in it says who asks. */
  readonly anonymous: RequestOptions
  /** `options.agent` leads through it. */
  readonly hasProxy: boolean
  readonly plugin: CredentialPlugin | undefined
}

/**
 * Reads a kubeconfig and its files anew. Throws ConfigError where it cannot be used. The vendor library is loaded here and not before.
 */
export async function readKubeconfig(source: KubeconfigSource): Promise<ReadKubeconfig> {
  const { KubeConfig, loadYaml } = await import('@kubernetes/client-node')
  try {
    const config = new KubeConfig()
    const directory = 'file' in source ? dirname(source.file) : undefined
    if ('inCluster' in source) config.loadFromCluster()
    else {
      const text = 'text' in source ? source.text : await readFile(source.file, 'utf8')
      config.loadFromString(JSON.stringify(await withTokens(loadYaml<unknown>(text), directory)))
      if (directory !== undefined) config.makePathsAbsolute(directory)
    }
    const cluster = config.getCurrentCluster()
    if (!cluster) throw new Error('it has no current cluster')
    const user: unknown = config.getCurrentUser()
    const plugin = credentialPlugin(isRecord(user) ? user['exec'] : undefined, directory)
    // Plugins are asked elsewhere: the vendor waits for one for ever.
    const users = config.getUsers().map((each) => ({ ...each, exec: null }))
    const { clusters, contexts, currentContext } = config
    const optionsAs = async (asking: typeof users) => {
      const options: RequestOptions = {}
      config.loadFromOptions({ clusters, contexts, currentContext, users: asking })
      await config.applyToHTTPSOptions(options)
      return options
    }
    const options = await optionsAs(users)
    const anonymous = await optionsAs(users.map(({ name }) => ({ name, exec: null })))
    return { server: new URL(cluster.server), options, anonymous, hasProxy: Boolean(cluster.proxyUrl), plugin }
  } catch (error) {
    const fields = 'file' in source ? { file: source.file } : {}
    throw new ConfigError('the kubeconfig cannot be used', { code: 'HUB_KUBECONFIG_INVALID', fields, cause: error })
  }
}

/** kubectl reads `tokenFile` of a user, the vendor does not. */
async function withTokens(config: unknown, directory = '.'): Promise<unknown> {
  if (!isRecord(config) || !Array.isArray(config['users'])) return config
  const users = await Promise.all(
    config['users'].map(async (each: unknown) => {
      const user = isRecord(each) ? each['user'] : undefined
      if (!isRecord(each) || !isRecord(user) || typeof user['tokenFile'] !== 'string') return each
      const { tokenFile } = user
      const file = isAbsolute(tokenFile) ? tokenFile : join(directory, tokenFile)
      return { ...each, user: { ...user, token: (await readFile(file, 'utf8')).trim() } }
    }),
  )
  return { ...config, users }
}
