package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"

	"marketplace/catalog/bundle"
	"marketplace/catalog/prepare"
	"marketplace/shared/cloud/packagestore"
)

const rollbackUsage = `usage: ops rollback [-show] [-build NAME] s3://BUCKET[/PREFIX]

Makes the build before the live one live again, and says which one is live then and which is before it. Repeated, it
goes further back. -build NAME makes a certain build live, which may be a later one. -show only says which are.

Packages that only the build left behind names stay downloadable, since somebody may have a link to one.

`

// rollBack runs the command rollback.
func rollBack(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("rollback", flag.ContinueOnError)
	show := flags.Bool("show", false, "change nothing")
	name := flags.String("build", "", "`name` of the build to make live (default: the one before)")
	help := func(w io.Writer) {
		fmt.Fprint(w, rollbackUsage)
		flags.SetOutput(w)
		flags.PrintDefaults()
	}
	if status, ok := parse(flags, args, help, stdout, stderr); !ok {
		return status
	}
	if flags.NArg() != 1 {
		fmt.Fprint(stderr, "rollback: one address such as s3://bucket is required\n\n")
		help(stderr)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	p, err := openDestination(ctx, flags.Arg(0))
	if err == nil {
		err = p.rollBack(ctx, *name, *show, stdout, stderr)
	}
	if err != nil {
		fmt.Fprintf(stderr, "rollback: failed: %v\n", err)
		return 1
	}
	return 0
}

// rollBack makes a build live, the one before the live one if name is "".
func (p destination) rollBack(ctx context.Context, name string, show bool, stdout, stderr io.Writer) error {
	live, err := p.live(ctx)
	if err != nil {
		return err
	}
	if live.file == nil {
		return errors.New("no catalog is published there")
	}
	if show {
		p.report(stdout, live)
		return nil
	}
	if name == "" {
		name = live.before
	}
	switch name {
	case "":
		return errors.New("there is no build before the live one")
	case live.name:
		return errors.New("this build is live already")
	}
	if _, err := p.nameOf(ctx, live); err != nil {
		return err
	}
	file, info, err := p.Read(ctx, p.bucket, p.prefix+buildsKey+name+".bin")
	if errors.Is(err, packagestore.ErrMissing) {
		return fmt.Errorf("there is no build %s", name)
	}
	if err != nil {
		return err
	}
	b, err := bundle.Decode(file)
	if err != nil {
		return fmt.Errorf("build %s: %w", name, err)
	}
	if err := keepPackages(b, live.file); err != nil {
		fmt.Fprintf(stderr, "warning: packages that only the live build has are not kept: %v\n", err)
	} else {
		file = b.Encode()
	}
	to := build{name: name, before: info.Metadata[beforeNote], file: file}
	if err := p.replaceLive(ctx, to, live.etag); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "rolled back from build %s; the functions serve it within two minutes\n", live.name)
	p.report(stdout, to)
	return nil
}

// keepPackages keeps those of the live catalog in the one to go back to. A damaged one keeps nobody from going back.
func keepPackages(b *bundle.Bundle, live []byte) error {
	current, err := bundle.Decode(live)
	if err != nil {
		return err
	}
	_, err = prepare.Keep(b, current)
	return err
}
