// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes ELF objects by libelf: what clang -target bpf would have made of the program, as far as
 * libbpf looks at it. The sections, by number:
 *
 *	1 .strtab   2 .symtab   3 the program   4 license   5 .rodata   6 .rel of the program
 *
 * The last two only with a table: each instruction that loads an address of it has a relocation
 * against the section's symbol, and its offset in the first half, where clang puts it too.
 */
#include "ctl/dataplane/object.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef EM_BPF
#define EM_BPF 247
#endif
#define R_BPF_64_64 1

enum { STRTAB = 1, SYMTAB, PROGRAM, LICENSE, RODATA, REL };
enum { SYM_NULL, SYM_RODATA, SYM_PROGRAM, SYM_LICENSE, SYMS };

static const char license[] = "GPL";

struct object {
	Elf *elf;
	char *strings; /* .strtab, grown by name_at() */
	size_t strings_len;
	bool failed;
	struct bpf_insn *insns;
	Elf64_Rel *rel;
	size_t n_rel;
	Elf64_Sym sym[SYMS];
};

static Elf64_Word name_at(struct object *o, const char *name)
{
	size_t len = strlen(name) + 1, at = o->strings_len;
	char *bigger = realloc(o->strings, at + len);

	if (!bigger) {
		o->failed = true;
		return 0;
	}
	memcpy(bigger + at, name, len);
	o->strings = bigger;
	o->strings_len = at + len;
	return (Elf64_Word)at;
}

/* Sections are numbered in the order of the calls. */
static void add_section(struct object *o, const char *name, Elf64_Shdr head, void *data,
			size_t size, Elf_Type type)
{
	Elf_Scn *scn = elf_newscn(o->elf);
	Elf_Data *d = scn ? elf_newdata(scn) : NULL;
	GElf_Shdr sh;

	if (!d || !gelf_getshdr(scn, &sh)) {
		o->failed = true;
		return;
	}
	sh.sh_name = name_at(o, name);
	sh.sh_type = head.sh_type;
	sh.sh_flags = head.sh_flags;
	sh.sh_link = head.sh_link;
	sh.sh_info = head.sh_info;
	sh.sh_entsize = head.sh_entsize;
	d->d_buf = data;
	d->d_size = size;
	d->d_type = type;
	d->d_align = 8;
	o->failed |= !gelf_update_shdr(scn, &sh);
}

static bool refers_to_table(const struct bpf_insn *insn)
{
	return insn->code == (BPF_LD | BPF_IMM | BPF_DW) && insn->src_reg == BPF_PSEUDO_MAP_VALUE;
}

/* The instructions as they stand in a file, and the relocations of those that need one. */
static int take_program(struct object *o, const struct ng_ebpf *p)
{
	o->insns = calloc(p->n, sizeof(*o->insns));
	o->rel = calloc(p->n, sizeof(*o->rel));
	if (!o->insns || !o->rel)
		return -ENOMEM;
	memcpy(o->insns, p->insns, p->n * sizeof(*o->insns));
	for (size_t i = 0; i + 1 < p->n; i++) {
		if (!refers_to_table(&o->insns[i]))
			continue;
		o->insns[i].src_reg = 0;
		o->insns[i].imm = o->insns[i + 1].imm;
		o->insns[i + 1].imm = 0;
		o->rel[o->n_rel++] = (Elf64_Rel){
			.r_offset = i * sizeof(*o->insns),
			.r_info = ELF64_R_INFO(SYM_RODATA, R_BPF_64_64),
		};
	}
	return 0;
}

static void make_symbols(struct object *o, const struct ng_ebpf *p, const char *name)
{
	o->sym[SYM_RODATA] = (Elf64_Sym){
		.st_info = ELF64_ST_INFO(STB_LOCAL, STT_SECTION),
		.st_shndx = p->table ? RODATA : PROGRAM,
	};
	o->sym[SYM_PROGRAM] = (Elf64_Sym){
		.st_name = name_at(o, name),
		.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC),
		.st_shndx = PROGRAM,
		.st_size = p->n * sizeof(*p->insns),
	};
	o->sym[SYM_LICENSE] = (Elf64_Sym){
		.st_name = name_at(o, "_license"),
		.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT),
		.st_shndx = LICENSE,
		.st_size = sizeof(license),
	};
}

static void add_sections(struct object *o, const struct ng_ebpf *p, const char *section)
{
	const Elf64_Shdr strtab = { .sh_type = SHT_STRTAB };
	const Elf64_Shdr symtab = {
		.sh_type = SHT_SYMTAB,
		.sh_link = STRTAB,
		.sh_info = SYM_PROGRAM, /* the first that is not local */
		.sh_entsize = sizeof(Elf64_Sym),
	};
	const Elf64_Shdr code = { .sh_type = SHT_PROGBITS, .sh_flags = SHF_ALLOC | SHF_EXECINSTR };
	const Elf64_Shdr data = { .sh_type = SHT_PROGBITS, .sh_flags = SHF_ALLOC | SHF_WRITE };
	const Elf64_Shdr constant = { .sh_type = SHT_PROGBITS, .sh_flags = SHF_ALLOC };
	const Elf64_Shdr rel = {
		.sh_type = SHT_REL,
		.sh_link = SYMTAB,
		.sh_info = PROGRAM,
		.sh_entsize = sizeof(Elf64_Rel),
	};
	char rel_name[64];

	snprintf(rel_name, sizeof(rel_name), ".rel%s", section);
	add_section(o, ".strtab", strtab, NULL, 0, ELF_T_BYTE);
	add_section(o, ".symtab", symtab, o->sym, sizeof(o->sym), ELF_T_SYM);
	add_section(o, section, code, o->insns, p->n * sizeof(*o->insns), ELF_T_BYTE);
	add_section(o, "license", data, (void *)(uintptr_t)license, sizeof(license), ELF_T_BYTE);
	if (!p->table)
		return;
	add_section(o, ".rodata", constant, p->table, p->table_size, ELF_T_BYTE);
	add_section(o, rel_name, rel, o->rel, o->n_rel * sizeof(*o->rel), ELF_T_REL);
}

/* The names are complete only now. */
static void fill_strings(struct object *o)
{
	Elf_Scn *scn = elf_getscn(o->elf, STRTAB);
	Elf_Data *d = scn ? elf_getdata(scn, NULL) : NULL;

	if (!d) {
		o->failed = true;
		return;
	}
	d->d_buf = o->strings;
	d->d_size = o->strings_len;
	d->d_align = 1;
}

static int build(struct object *o, const struct ng_ebpf *p, const char *section, const char *name)
{
	GElf_Ehdr eh;
	int rc = take_program(o, p);

	if (rc)
		return rc;
	if (!gelf_newehdr(o->elf, ELFCLASS64) || !gelf_getehdr(o->elf, &eh))
		return -EIO;
	eh.e_ident[EI_DATA] = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;
	eh.e_type = ET_REL;
	eh.e_machine = EM_BPF;
	eh.e_version = EV_CURRENT;
	eh.e_shstrndx = STRTAB;
	if (!gelf_update_ehdr(o->elf, &eh))
		return -EIO;
	name_at(o, "");
	make_symbols(o, p, name);
	add_sections(o, p, section);
	fill_strings(o);
	return o->failed || elf_update(o->elf, ELF_C_WRITE) < 0 ? -EIO : 0;
}

static int read_back(int fd, void **object, size_t *size)
{
	struct stat st;
	void *data;

	if (fstat(fd, &st))
		return -errno;
	data = malloc((size_t)st.st_size);
	if (!data)
		return -ENOMEM;
	if (pread(fd, data, (size_t)st.st_size, 0) != st.st_size) {
		free(data);
		return -EIO;
	}
	*object = data;
	*size = (size_t)st.st_size;
	return 0;
}

int ng_object_make(const struct ng_ebpf *program, const char *section, const char *name,
		   void **object, size_t *size, struct ng_error *err)
{
	struct object o = { .elf = NULL };
	int fd = memfd_create("nicgate-object", MFD_CLOEXEC), rc = fd < 0 ? -errno : 0;

	if (!rc && elf_version(EV_CURRENT) == EV_NONE)
		rc = -EIO;
	if (!rc)
		o.elf = elf_begin(fd, ELF_C_WRITE, NULL);
	if (!rc)
		rc = o.elf ? build(&o, program, section, name) : -EIO;
	if (o.elf)
		elf_end(o.elf);
	if (!rc)
		rc = read_back(fd, object, size);
	if (fd >= 0)
		close(fd);
	free(o.strings);
	free(o.insns);
	free(o.rel);
	if (!rc)
		return 0;
	ng_err(err, NG_EXIT_FAILED, -rc, section, "making an ELF object failed");
	if (elf_errno())
		ng_err_why(err, "libelf: %s", elf_errmsg(-1));
	return rc;
}
