import assert from 'node:assert/strict'
import { silentLogger } from '../../../../platform/log/index.ts'
import { type Duration, ms, systemRandom } from '../../../../platform/time/index.ts'
import { FakeClock } from '../../../../platform/time/testing/index.ts'
import type { JsonObject } from '../../../../schemas/index.ts'
import type { Message } from '../../cri/methods.ts'
import type { ContainerRuntime } from '../../cri/runtime.ts'
import { parsePod } from '../../pod/parse-pod.ts'
import type { Pod } from '../../pod/pod.ts'
import { type ChannelScripts, scriptedChannel } from '../../testing/scripted-channel.ts'
import { createImages, type ImagesOptions } from '../create-images.ts'

export const UNREACHABLE = (image: string) =>
  `failed to pull and unpack image "${image}": failed to resolve reference "${image}": failed to do request: ` +
  `Head "https://reg.local/v2/": dial tcp: lookup reg.local: no such host`

/** The images of a node with a runtime that has what is in `present` and pulls as `pull` says. */
export class ImagesBench {
  readonly clock = new FakeClock()
  /** Images that the runtime has, by the reference asked for. */
  readonly present = new Set<string>()
  readonly secrets = new Map<string, JsonObject>()
  readonly told: string[] = []
  readonly changed: string[] = []
  /** References of the pulls, with the user of their login. */
  readonly pulls: string[] = []
  /** Of one pull; by default the runtime has the image then. */
  pull: (reference: string, auth: Message, signal: AbortSignal | undefined) => Promise<void> = async (reference) => {
    this.present.add(reference)
  }
  readonly scripts: ChannelScripts = {
    ImageStatus: ({ image }) => {
      const reference = String(Object(image).image)
      return this.present.has(reference) ? { image: { id: `id-of-${reference}`, size: 1234 } } : {}
    },
    PullImage: async ({ image, auth }, signal) => {
      const reference = String(Object(image).image)
      const { username = '' } = Object(auth ?? {})
      this.pulls.push(username === '' ? reference : `${username}@${reference}`)
      await this.pull(reference, Object(auth ?? {}), signal)
      return { imageRef: `id-of-${reference}` }
    },
  }
  readonly images

  constructor(options: Partial<ImagesOptions> = {}, runtime?: ContainerRuntime) {
    this.images = createImages(
      {
        runtime: runtime ?? scriptedChannel(this.scripts).runtime,
        clock: this.clock,
        random: { ...systemRandom, next: () => 1 },
        log: silentLogger,
        objects: { configMap: async () => undefined, secret: async (_namespace, name) => this.secrets.get(name) },
        events: {
          tell: ({ name }, { type, reason, message, fieldPath }) => {
            this.told.push(`${name} ${fieldPath} ${type} ${reason}: ${message}`)
          },
        },
        onChange: (uid) => this.changed.push(uid),
      },
      options,
    )
  }

  /** `present`, `pulling`, or why it is neither. */
  async want(pod: Pod, container = 'app'): Promise<string> {
    const found = [...pod.spec.initContainers, ...pod.spec.containers].find(({ name }) => name === container)
    assert.ok(found)
    const state = await this.images.want(pod, found, new AbortController().signal)
    return state.state === 'failed' ? `${state.waiting.reason}: ${state.waiting.message}` : state.state
  }

  async advance(duration: Duration = ms(0)): Promise<void> {
    await this.clock.advance(duration)
  }

  /** Events since the last time, by what they say. */
  news(): readonly string[] {
    return this.told.splice(0)
  }
}

export function podOf(name: string, spec: JsonObject): Pod {
  const parsed = parsePod({ metadata: { name, namespace: 'shop', uid: `uid-of-${name}` }, spec })
  assert.ok('pod' in parsed)
  return parsed.pod
}

export function oneContainer(name: string, image: string, imagePullPolicy?: string, more: JsonObject = {}): Pod {
  const container = { name: 'app', image, ...(imagePullPolicy === undefined ? {} : { imagePullPolicy }) }
  return podOf(name, { containers: [container], ...more })
}

export function pullSecret(logins: Readonly<Record<string, string>>): JsonObject {
  const auths = Object.fromEntries(
    Object.entries(logins).map(([place, login]) => [place, { auth: Buffer.from(login).toString('base64') }]),
  )
  const data = { '.dockerconfigjson': Buffer.from(JSON.stringify({ auths })).toString('base64') }
  return { type: 'kubernetes.io/dockerconfigjson', data }
}
