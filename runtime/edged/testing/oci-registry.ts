import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { dirname, join } from 'node:path'
import { type ImageSource, writeImage } from './oci-image.ts'

/** A registry of the OCI distribution API on loopback, as much of it as a pull needs; runtimes speak plain HTTP with that. */
export interface TestRegistry extends AsyncDisposable {
  /** `127.0.0.1:40123` */
  readonly host: string
  /** Paths that were asked for with a login, or `-`: `ann GET /v2/team/till/manifests/1`. */
  readonly asked: string[]
  /** As `team/till:1`; the name that pods use. */
  add(path: string, tag: string, source: Omit<ImageSource, 'name'>): Promise<string>
}

/** `logins` are `user:password`; none: everybody may pull. */
export async function startRegistry(folder: string, logins: readonly string[] = []): Promise<TestRegistry> {
  /** Folders of images by `<path>:<tag>`. */
  const images = new Map<string, string>()
  const asked: string[] = []
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)))
  })
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const login = loginOf(request)
    asked.push(`${login?.split(':')[0] ?? '-'} ${request.method} ${request.url}`)
    if (logins.length > 0 && !logins.includes(login ?? '')) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="test"' }).end()
      return
    }
    const file = await fileOf(request.url ?? '', images)
    if (!file) return void response.writeHead(404).end()
    const { size } = await stat(file.path)
    response.writeHead(200, {
      ...{ 'content-type': file.type, 'content-length': size, 'docker-content-digest': file.digest },
    })
    if (request.method === 'HEAD') return void response.end()
    createReadStream(file.path).pipe(response)
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0
  const host = `127.0.0.1:${port}`
  return {
    ...{ host, asked },
    async add(path, tag, source) {
      const name = `${host}/${path}:${tag}`
      const tar = await writeImage(folder, { ...source, name })
      images.set(`${path}:${tag}`, join(dirname(tar), 'image'))
      return name
    },
    async [Symbol.asyncDispose]() {
      if (!server.listening) return
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

interface Served {
  readonly path: string
  readonly type: string
  readonly digest: string
}

async function fileOf(url: string, images: ReadonlyMap<string, string>): Promise<Served | undefined> {
  const [, path = '', kind, reference = ''] = /^\/v2\/(.+)\/(manifests|blobs)\/([\w.:-]+)$/.exec(url) ?? []
  const folders = [...images].flatMap(([name, at]) => (name.startsWith(`${path}:`) ? [{ name, at }] : []))
  for (const { name, at } of folders) {
    const index = JSON.parse(await readFile(join(at, 'index.json'), 'utf8'))
    const manifest = String(index.manifests[0].digest)
    const wanted = kind === 'manifests' && name === `${path}:${reference}` ? manifest : reference
    const file = join(at, 'blobs', wanted.replace(':', '/'))
    if (!/^sha256:[0-9a-f]{64}$/.test(wanted) || !(await stat(file).catch(() => undefined))) continue
    const type = kind === 'manifests' ? 'application/vnd.oci.image.manifest.v1+json' : 'application/octet-stream'
    return { path: file, type, digest: wanted }
  }
  return undefined
}

function loginOf({ headers }: IncomingMessage): string | undefined {
  const [scheme, value = ''] = (headers.authorization ?? '').split(' ')
  return scheme === 'Basic' ? Buffer.from(value, 'base64').toString('utf8') : undefined
}
