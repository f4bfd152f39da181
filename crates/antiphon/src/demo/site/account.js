// What the shop's server knows of whoever is signed in, as HubSpot's guides have pages say it.
window.hsConversationsSettings = {
  identificationEmail: document.currentScript.dataset.email,
  identificationToken: document.currentScript.dataset.token,
};
