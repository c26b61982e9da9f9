import { createHash } from 'node:crypto'
import { chmod, copyFile, cp, mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { runProgram } from './run-program.ts'

export interface ImageSource {
  /** As pods name it, with its tag: `skerry.test/busybox:1`. */
  readonly name: string
  readonly entrypoint?: readonly string[]
  readonly cmd?: readonly string[]
  readonly env?: readonly string[]
  readonly user?: string
  /** Programs of this machine that it has in /bin, with the libraries that they load. */
  readonly programs?: readonly string[]
  /** Files and folders of this machine, by their path in the image. */
  readonly files?: Readonly<Record<string, string>>
}

const BUSYBOX = '/usr/bin/busybox'
/** Commands that scripts of tests use. */
const APPLETS = [
  'sh',
  'cat',
  'echo',
  'env',
  'id',
  'ls',
  'ps',
  'sleep',
  'true',
  'false',
  'httpd',
  'nc',
  'wget',
  'mount',
  'hostname',
  'touch',
  'kill',
  'dd',
  'ip',
  'nslookup',
  'printf',
  'rm',
  'mkdir',
  'stat',
  'stty',
  'tar',
  'wc',
  'sha256sum',
]

/** Writes an OCI image (image-spec v1) of Debian's static busybox as a tar that runtimes import; its path. */
export async function writeImage(folder: string, source: ImageSource): Promise<string> {
  const place = join(folder, createHash('sha256').update(source.name).digest('hex').slice(0, 12))
  const blobs = join(place, 'image', 'blobs', 'sha256')
  await rm(place, { recursive: true, force: true })
  await mkdir(blobs, { recursive: true })
  const layer = await layerTar(place, source)
  const put = async (content: Buffer) => {
    const digest = createHash('sha256').update(content).digest('hex')
    await writeFile(join(blobs, digest), content)
    return { digest: `sha256:${digest}`, size: content.length }
  }
  const json = (value: unknown) => Buffer.from(JSON.stringify(value))
  const { entrypoint, cmd, env = [], user } = source
  const rootfs = { type: 'layers', diff_ids: [`sha256:${createHash('sha256').update(layer).digest('hex')}`] }
  const config = await put(
    json({
      architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
      os: 'linux',
      config: {
        Env: ['PATH=/bin', ...env],
        ...(entrypoint ? { Entrypoint: entrypoint } : {}),
        ...(cmd ? { Cmd: cmd } : {}),
        ...(user === undefined ? {} : { User: user }),
      },
      rootfs,
    }),
  )
  const manifest = await put(
    json({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
      layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', ...(await put(layer)) }],
    }),
  )
  const annotations = { 'io.containerd.image.name': source.name, 'org.opencontainers.image.ref.name': source.name }
  const index = {
    schemaVersion: 2,
    manifests: [{ mediaType: 'application/vnd.oci.image.manifest.v1+json', ...manifest, annotations }],
  }
  await writeFile(join(place, 'image', 'index.json'), json(index))
  await writeFile(join(place, 'image', 'oci-layout'), json({ imageLayoutVersion: '1.0.0' }))
  const tar = join(place, 'image.tar')
  await runProgram('tar', ['-C', join(place, 'image'), '-cf', tar, '.'])
  return tar
}

async function layerTar(place: string, { programs = [], files = {} }: ImageSource): Promise<Buffer> {
  const root = join(place, 'root')
  for (const folder of ['bin', 'tmp', 'etc', 'proc', 'sys', 'dev', 'www'])
    await mkdir(join(root, folder), { recursive: true })
  await copyFile(BUSYBOX, join(root, 'bin', 'busybox'))
  await chmod(join(root, 'bin', 'busybox'), 0o755)
  await chmod(join(root, 'tmp'), 0o1777)
  for (const applet of APPLETS) await symlink('busybox', join(root, 'bin', applet))
  await writeFile(join(root, 'etc', 'passwd'), 'root:x:0:0::/:/bin/sh\napp:x:1000:1000::/:/bin/sh\n')
  await writeFile(join(root, 'etc', 'group'), 'root:x:0:\napp:x:1000:\n')
  for (const program of programs) await addProgram(root, program)
  for (const [path, source] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await cp(source, join(root, path), { recursive: true, dereference: true })
  }
  // The same layer for the same content: no times, no names of this machine.
  const flags = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner']
  const { stdout } = await runProgram('tar', ['-C', root, ...flags, '-c', '.'])
  return stdout
}

async function addProgram(root: string, program: string): Promise<void> {
  await copyFile(program, join(root, 'bin', basename(program)))
  await chmod(join(root, 'bin', basename(program)), 0o755)
  const { stdout } = await runProgram('ldd', [program])
  // `libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x...)`, and the loader, which stands alone.
  for (const [, library = ''] of stdout.toString('utf8').matchAll(/(\/\S+) \(0x/g)) {
    await mkdir(dirname(join(root, library)), { recursive: true })
    await copyFile(library, join(root, library))
    await chmod(join(root, library), 0o755)
  }
}
