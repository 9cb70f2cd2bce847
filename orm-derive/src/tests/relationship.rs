//! Relationships and what connects their sides.

use quote::quote;

use super::{assert_has, check, check_fields};
use crate::expand;

#[test]
fn the_four_kinds_expand() {
    let expansion = check_fields(
        quote! {
            #[orm(foreign_key = Profile::slug)]
            slug: Option<String>,
            #[orm(via = slug, back_populates = user, lazy = "joined")]
            profile: BelongsTo<Profile>,
            #[orm(back_populates = user, cascade = "all, delete-orphan")]
            posts: orm_core::HasMany<Post>,
            #[orm(foreign_key = Card::user_id, passive_deletes)]
            card: HasOne<Card>,
            #[orm(secondary(Link::user_id, Link::tag_id), order_by = (Tag::name.asc(), Tag::id.desc()))]
            tags: ManyToMany<Tag>,
            #[orm(secondary = "user_roles", viewonly)]
            roles: ManyToMany<Role>,
        },
        &[],
    );
    assert_has(&expansion, quote!(__orm::Path::Via(&["slug"])));
    assert_has(&expansion, quote!(__orm::Path::Inverse));
    assert_has(&expansion, quote!(__orm::Path::ForeignKey(&["user_id"])));
    assert_has(&expansion, quote!(&["user_id"], &["tag_id"]));
    assert_has(&expansion, quote!(__orm::Path::PairTable("user_roles")));
    assert_has(&expansion, quote!(.strategy(__orm::Strategy::Joined)));
    assert_has(&expansion, quote!(__orm::Cascade { delete_orphan: true, ..__orm::Cascade::ALL }));
    assert_has(&expansion, quote!(|| __orm::order::<Tag>((Tag::name.asc(), Tag::id.desc()))));
    assert_has(&expansion, quote!(.__names("posts")));
    assert!(!expansion.contains(&quote!(self.links.many(<User>::roles, members)).to_string()));
}

#[test]
fn members_that_a_deleted_owner_leaves_alone() {
    let expansion = check_fields(
        quote! {
            #[orm(back_populates = user, passive_deletes = "all")]
            posts: HasMany<Post>,
        },
        &[],
    );
    assert_has(&expansion, quote!(.never_deletes()));
    check_fields(
        quote! {
            #[orm(foreign_key = Post::user_id, passive_deletes = "al")]
            a: HasMany<Post>,
            #[orm(foreign_key = Post::user_id, passive_deletes = "all", cascade = "all")]
            b: HasMany<Post>,
            #[orm(foreign_key = Post::user_id, passive_deletes = "all", cascade = "save-update, delete-orphan")]
            c: HasMany<Post>,
            #[orm(foreign_key = Post::user_id, passive_deletes = "all", cascade = "save-update, merge")]
            d: HasMany<Post>,
        },
        &[
            "`passive_deletes` doesn't know \"al\": did you mean \"all\"?",
            "`passive_deletes = \"all\"` leaves the members alone, and `cascade` deletes them",
            "`passive_deletes = \"all\"` leaves the members alone, and `cascade` deletes them",
        ],
    );
}

#[test]
fn a_belongs_to_needs_a_foreign_key() {
    check_fields(
        quote!(profile: BelongsTo<Profile>),
        &["add the field `profile_id` with `#[orm(foreign_key = Profile)]`, or name another"],
    );
    check_fields(
        quote!(profile_id: i64, profile: BelongsTo<Profile>),
        &["`profile_id` is no foreign key: add `#[orm(foreign_key = Profile)]` to it"],
    );
    check_fields(
        quote!(#[orm(via = card_no)] card: BelongsTo<Card>),
        &["`card` needs a key column: add the field `card_no`"],
    );
    check_fields(
        quote!(a: i64, b: i64, #[orm(via = (a, b))] line: BelongsTo<Line>),
        &["add `#[orm(foreign_key(a => Line::…, b => Line::…))]` to the struct"],
    );
    check_fields(
        quote!(#[orm(skip)] card_id: i64, card: BelongsTo<Card>),
        &["`card_id` is no column: remove its `#[orm(skip)]`"],
    );
}

#[test]
fn a_key_may_be_over_columns_of_a_custom_base() {
    for via in [quote!(via = tenant_id), quote!(via = (tenant_id, no))] {
        let key = match via.to_string().contains('(') {
            true => quote!(foreign_key(tenant_id => Tenant::id, no => Tenant::no)),
            false => quote!(foreign_key(tenant_id => Tenant::id)),
        };
        let expansion = check(
            expand::derive_model,
            quote! {
                #[orm(base = Tenanted, #key)]
                struct Post {
                    no: i64,
                    #[orm(#via)]
                    tenant: BelongsTo<Tenant>,
                }
            },
            &[],
        );
        let names = quote!(<Tenanted as __orm::BaseColumns>::NAMES);
        assert_has(&expansion, quote!(__orm::has_field(#names, "tenant_id")));
    }
}

#[test]
fn the_other_kinds_need_a_way() {
    check_fields(
        quote! {
            posts: HasMany<Post>,
            card: HasOne<Card>,
            tags: ManyToMany<Tag>,
            #[orm(back_populates = user, foreign_key = Post::user_id)]
            both: HasMany<Post>,
        },
        &[
            "`posts` doesn't say which foreign key of `Post` it follows: add `back_populates = …`",
            "`card` doesn't say which foreign key of `Card` it follows",
            "`tags` doesn't say which table is between: add `secondary = …`",
            "`back_populates` already says which foreign key this is",
        ],
    );
}

#[test]
fn keys_belong_to_kinds() {
    check_fields(
        quote! {
            #[orm(via = user_id, back_populates = user)] a: HasMany<Post>,
            #[orm(secondary = Link, back_populates = user)] b: HasOne<Post>,
            #[orm(foreign_key = C::user_id, secondary = "t")] c: ManyToMany<C>,
            #[orm(foreign_key = C)] d_id: i64,
            #[orm(foreign_key = C::user_id)] d: BelongsTo<C>,
            #[orm(unique, back_populates = user)] e: HasMany<Post>,
            #[orm(back_populates = "user")] f: HasMany<Post>,
            #[orm(back_populates = Post::user)] g: HasMany<Post>,
            #[orm(secondary = Link::user_id)] h: ManyToMany<Post>,
            i: HasMany,
        },
        &[
            "`unique` belongs on a column, and this is a relationship",
            "write the name without quotes: `back_populates = user`",
            "write the field's name alone, without its model",
            "name both columns, the one that references this side first",
            "`HasMany` needs the model it leads to: `HasMany<Model>`",
            "`via` is for `BelongsTo`",
            "`secondary` is for `ManyToMany`, and this is a `HasOne`",
            "a `ManyToMany` has two foreign keys",
            "the foreign key of a `BelongsTo` is in this struct",
        ],
    );
}

#[test]
fn cascades_are_words() {
    check_fields(
        quote! {
            #[orm(back_populates = user, cascade = "all, delete_orphan")] a: HasMany<Post>,
            #[orm(back_populates = user, lazy = "eager")] b: HasMany<Post>,
            #[orm(secondary = Link, cascade = "all, delete-orphan")] c: ManyToMany<Tag>,
            #[orm(secondary = Link, cascade = "delete-orphan", single_parent)] d: ManyToMany<Tag>,
            #[orm(back_populates = user, cascade = "", viewonly)] e: HasMany<Post>,
        },
        &[
            "`cascade` doesn't know \"delete_orphan\": did you mean \"delete-orphan\"?",
            "`lazy` doesn't know \"eager\": it takes \"select\", \"joined\"",
            "delete-orphan on a `ManyToMany` needs `single_parent`",
            "a `viewonly` relationship writes nothing",
        ],
    );
}
