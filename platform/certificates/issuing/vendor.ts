// @peculiar/x509 registers its parts through decorators and wants the reflection polyfill to be there first.
import 'reflect-metadata'

export * from '@peculiar/x509'
