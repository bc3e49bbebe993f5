//! What to call companies and users in rows that tell of several.

use std::collections::BTreeMap;

use barometer_domain::{CompanyId, UserId};

use super::cases::Whose;

/// Names by id. What has no name is called by its id.
#[derive(Debug, Clone, Default)]
pub struct Names {
    companies: BTreeMap<CompanyId, String>,
    users: BTreeMap<(CompanyId, UserId), String>,
}

impl Names {
    /// Adds a company's.
    pub fn add_company(&mut self, id: CompanyId, name: String) {
        self.companies.insert(id, name);
    }

    /// Adds that of a company's user.
    pub fn add_user(&mut self, company: CompanyId, user: UserId, name: String) {
        self.users.insert((company, user), name);
    }

    /// A company by id and name.
    pub fn whose(&self, id: &CompanyId) -> Whose {
        let name = self.companies.get(id).map_or_else(|| id.to_string(), Clone::clone);
        Whose { id: id.to_string(), name }
    }

    /// A company's user.
    pub fn user(&self, company: &CompanyId, user: &UserId) -> String {
        let name = self.users.get(&(company.clone(), user.clone()));
        name.map_or_else(|| user.to_string(), Clone::clone)
    }
}
